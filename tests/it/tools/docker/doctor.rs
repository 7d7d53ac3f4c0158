//! The findings of doctor in docker's configuration.

use snapbox::str;

use crate::doctor::{case, examine, wire_docker};

#[test]
fn each_registry_of_docker_is_compared_with_the_rules() {
    let case = case();
    case.world.allow("registry.acme.test:5000");
    case.world.home.link("docker-credential-zitadel");
    let path = case.world.home.path_with_bin();
    let path = [("PATH", path.to_str().unwrap())];
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("rule"),
        str![[r#"
warning rule: registry.acme.test:5000: no tool is set up for this host rule
    zitadel-credential setup TOOL registry.acme.test:5000, where TOOL is one of git, docker, bazel, cargo, go, terraform, kubelet, keyring

"#]],
    );

    for (registry, told) in [
        (
            "registry.acme.test:443",
            str![[r#"
failed docker: [HOME]/.docker/config.json: registry.acme.test:443: no host rule for https://registry.acme.test: registry.acme.test:5000 is for another port
    zitadel-credential setup docker registry.acme.test

"#]],
        ),
        (
            "registry.acme.test:5000",
            str![[r#"
ok docker: [HOME]/.docker/config.json: registry.acme.test:5000: host rule registry.acme.test:5000, profile test

"#]],
        ),
    ] {
        wire_docker(&case, registry);
        case.matches(&examine(&case, &[], &path).of("docker"), told);
    }
    assert_eq!(examine(&case, &[], &path).status("rule"), "absent");
    // The largest file that setup accepts.
    let blanks = " ".repeat(4 * 1024 * 1024 - 2);
    case.world
        .home
        .write(".docker/config.json", format!("{{{blanks}}}"));
    assert_eq!(examine(&case, &[], &path).status("docker"), "absent");
    case.world.home.write(".docker/config.json", "{");
    let found = examine(&case, &[], &path);
    case.matches(
        &found.of("docker"),
        str![[r#"
failed docker: [HOME]/.docker/config.json: invalid JSON (line 1)
    fix the file: docker cannot read it either

"#]],
    );
}
