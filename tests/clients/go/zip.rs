//! An archive of one file, stored without compression (PKWARE's APPNOTE, sections 4.3.7,
//! 4.3.12 and 4.3.16).

pub fn of_one(name: &str, contents: &[u8]) -> Vec<u8> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_le_bytes();
    // The common part of both headers of the file: version, flags, method, time and date,
    // checksum, both sizes, and the lengths of the name and the extra field.
    let name_length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let common = [
        &[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..],
        &crc32(contents).to_le_bytes(),
        &length(contents),
        &length(contents),
        &name_length,
        &[0, 0],
    ]
    .concat();
    let file = [b"PK\x03\x04", &common[..], name.as_bytes(), contents].concat();
    let directory = [
        b"PK\x01\x02\x14\x00",
        &common[..],
        // Comment, disk, attributes, and the offset of the file.
        &[0; 14],
        name.as_bytes(),
    ]
    .concat();
    let end = [
        &b"PK\x05\x06\0\0\0\0\x01\0\x01\0"[..],
        &length(&directory),
        &length(&file),
        &[0, 0],
    ]
    .concat();
    [file, directory, end].concat()
}

fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ ((crc & 1) * POLYNOMIAL)
        })
    })
}
