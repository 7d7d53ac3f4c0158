class ZitadelCredential < Formula
  desc "Access tokens of ZITADEL service users for kubectl, git, docker and others"
  homepage "https://github.com/zitadel-credential/zitadel-credential"
  # packaging/release.sh writes these two into the copy under dist/.
  url "https://github.com/zitadel-credential/zitadel-credential/releases/download/v0.1.0/zitadel-credential-0.1.0.tar.gz"
  sha256 "0000000000000000000000000000000000000000000000000000000000000000"
  license any_of: ["MIT", "Apache-2.0"]
  head "https://github.com/zitadel-credential/zitadel-credential.git", branch: "main"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args
    # The release's archive contains the pages; a clone must create them.
    system "cargo", "run", "--locked", "--example", "man", "--", "man" unless (buildpath/"man").directory?
    man1.install Dir["man/man1/*"]
    man5.install Dir["man/man5/*"]
    # The name of each page's link; `keyring` is another program's name.
    man1.glob("*-credential*-zitadel.1").each do |page|
      bin.install_symlink bin/"zitadel-credential" => page.basename(".1")
    end
    generate_completions_from_executable(bin/"zitadel-credential", "completions")
    (var/"zitadel-credential").mkpath
  end

  service do
    run [opt_bin/"zitadel-credential", "agent", "--write", var/"zitadel-credential/token"]
    keep_alive true
    environment_variables PATH: std_service_path_env
    error_log_path var/"log/zitadel-credential.log"
  end

  test do
    require "json"

    system "openssl", "genrsa", "-out", "key.pem", "2048"
    key = { type: "serviceaccount", keyId: "1", key: File.read("key.pem"), userId: "2" }
    (testpath/"key.json").write JSON.generate(key)
    chmod 0600, "key.json"
    assertion = shell_output("#{bin}/zitadel-credential assertion --key-file key.json --audience https://issuer.test")
    header, claims, signature = assertion.chomp.split(".").map { |part| part.tr("-_", "+/").unpack1("m") }
    assert_equal "1", JSON.parse(header)["kid"]
    assert_equal "https://issuer.test", JSON.parse(claims)["aud"]
    assert_equal 256, signature.bytesize

    not_found = pipe_output("#{bin}/docker-credential-zitadel get", "registry.test", 1)
    assert_equal "credentials not found in native keychain\n", not_found
  end
end
