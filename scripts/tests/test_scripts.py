"""The checks of scripts/ find what they are there for."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).parent.parent


def script(name):
    """A script without an ending, as a module."""
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@contextlib.contextmanager
def files(texts):
    """A folder with these files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            file = pathlib.Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        yield pathlib.Path(folder)


class Circles(unittest.TestCase):
    def pairs(self, **texts):
        circles = script("circles")
        with files({f"{name}.rs".replace("__", "/"): text for name, text in texts.items()}) as folder:
            circles.ROOT = folder
            return [" ".join(pair) for pair in circles.Crate(folder).circles()]

    def test_use_lines_and_paths_inside_the_code_are_seen(self):
        parent = "mod a;\nmod b;\npub use a::A;\npub use b::B;\n"
        for a in ("use super::B;", "pub struct A(super::B);", "pub struct A(crate::b::B);", "fn a() { super::b::make() }"):
            with self.subTest(a):
                self.assertEqual(self.pairs(lib=parent, a=a, b="use super::a::A;"), ["a.rs b.rs"])

    def test_a_parent_that_passes_names_on_needs_no_child(self):
        self.assertEqual(self.pairs(lib="mod a;\npub use a::A;\npub struct Shared;", a="use super::Shared;"), [])

    def test_a_parent_that_uses_a_child_which_needs_it_is_a_circle(self):
        for code in ("use a::A;", "fn f() { a::make() }", "pub use a::A;\nfn f() -> A { todo() }"):
            with self.subTest(code):
                found = self.pairs(lib=f"mod a;\npub struct Shared;\n{code}", a="fn make(_: super::Shared) {}")
                self.assertEqual(found, ["lib.rs a.rs"])

    def test_comments_texts_and_tests_need_nothing(self):
        tests = "#[cfg(test)]\nmod tests {\n    use super::Shared;\n}\n"
        child = f'/// As [`super::Shared`].\nconst TEXT: &str = "super::Shared"; // super::Shared\n{tests}'
        self.assertEqual(self.pairs(lib="mod a;\nuse a::TEXT;\npub struct Shared;", a=child), [])

    def test_a_table_of_routes_is_exempt_with_its_handlers_and_they_are_not_among_themselves(self):
        table = "mod a;\nmod b;\nstruct State;\nroute_table!(State; a::read, b::read);"
        handler = "fn read(_: super::State) {}"
        self.assertEqual(self.pairs(lib="mod routes;", routes__mod=table, routes__a=handler, routes__b=handler), [])
        a, b = f"use super::b::read;\n{handler}", f"use super::a::read;\n{handler}"
        self.assertEqual(
            self.pairs(lib="mod routes;", routes__mod=table, routes__a=a, routes__b=b), ["routes/a.rs routes/b.rs"]
        )


class Msrv(unittest.TestCase):
    def test_newer_syntax_is_seen(self):
        for code, name in [
            ("if let Some(a) = b && a {", "a let chain (Rust 1.88)"),
            ("if a && let Some(a) = b {", "a let chain (Rust 1.88)"),
            ("Some(a) if let Some(b) = a => b,", "an if-let guard (Rust 1.95)"),
            ("one\n    if let Some(b) = one =>", "an if-let guard (Rust 1.95)"),
            ("#[cfg(false)]", "cfg(true) or cfg(false) (Rust 1.88)"),
            ("let a: [u8; _] = [1, 2];", "an inferred length of an array (Rust 1.89)"),
            ("cfg_select! {", "cfg_select! (Rust 1.95)"),
        ]:
            with self.subTest(code):
                self.assertEqual(script("msrv").newer_syntax(code), [name])

    def test_older_syntax_is_let_alone(self):
        for code in (
            "if let Some(a) = b { a && c }",
            "} else if let Some(a) = b {",
            "return if let Some(a) = b { a } else { c };",
            "let a = if let Some(a) = b { a } else { c };",
            "Some(a) => if let Some(b) = a { b } else { c },",
            "// says a word\n    if let Some(a) = b {",
            "#[cfg(test)]",
            "Some(a) if a > 1 => a,",
        ):
            with self.subTest(code):
                self.assertEqual(script("msrv").newer_syntax(code), [])

    def test_the_readme_names_the_features_that_need_a_newer_rust(self):
        sentence = script("msrv").sentence
        self.assertEqual(sentence("1.85", {}), "Rust 1.85 or newer is needed.")
        self.assertEqual(sentence("1.85", {"openapi": "1.88"}), "Rust 1.85 or newer is needed, with `openapi` 1.88.")
        self.assertEqual(sentence("1.88", {"openapi": "1.88.0"}), "Rust 1.88 or newer is needed.")


class TestsLost(unittest.TestCase):
    def run_with(self, before, now):
        tests_lost = script("tests-lost")
        tests_lost.moves = lambda _: {"a old": ["a new"]}
        with files({"before": before, "now": now}) as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            with contextlib.redirect_stderr(said):
                return tests_lost.main(folder / "before", folder / "now"), said.getvalue()

    def test_an_empty_list_is_a_failure(self):
        for before, now in [("", "a new\n"), ("a old\n", ""), ("", "")]:
            with self.subTest((before, now)):
                status, said = self.run_with(before, now)
                self.assertEqual(status, 1)
                self.assertIn("is empty", said)

    def test_todays_list_alone_is_held_against_the_document(self):
        tests_lost = script("tests-lost")
        tests_lost.moves = lambda _: {"a old": ["a new"]}
        for now, status in [("a new\nb\n", 0), ("b\n", 1), ("", 1)]:
            with self.subTest(now), files({"now": now}) as folder:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    self.assertEqual(tests_lost.main(folder / "now"), status)

    def test_a_test_is_there_or_moved_or_lost(self):
        self.assertEqual(self.run_with("a old\nb\n", "a new\nb\n")[0], 0)
        status, said = self.run_with("a old\nb\n", "a new\n")
        self.assertEqual(status, 1)
        self.assertIn("lost: b\n", said)
        status, said = self.run_with("b\n", "b\n")
        self.assertEqual(status, 1)
        self.assertIn("names a test that is not there: a new", said)


class Linked(unittest.TestCase):
    def run_with(self, cargo):
        with files({"cargo": f"#!/bin/sh\n{cargo}\n"}) as folder:
            (folder / "cargo").chmod(0o755)
            environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
            ran = subprocess.run([SCRIPTS / "linked"], env=environment, capture_output=True, text=True)
            return ran.returncode, ran.stderr

    def test_a_tree_that_cargo_cannot_make_is_a_failure(self):
        status, said = self.run_with("exit 101")
        self.assertEqual(status, 1)
        self.assertIn("cargo cannot say what module-mgmt-protocol links", said)
        status, said = self.run_with('case "$*" in *gated-function*) exit 101 ;; *) echo serde v1.0.0 ;; esac')
        self.assertEqual(status, 1)
        self.assertIn("cargo cannot say what gated-function links", said)

    def test_what_a_crate_must_not_link_is_a_failure(self):
        self.assertEqual(self.run_with("echo serde v1.0.0")[0], 0)
        status, said = self.run_with("echo serde v1.0.0; echo serde_json v1.0.0")
        self.assertEqual((status, said), (1, "error: module-mgmt-protocol depends on more than serde\n"))
        linking_axum = 'echo serde v1.0.0; case "$*" in *host-postgres*) echo axum v0.8.0 ;; esac'
        status, said = self.run_with(linking_axum)
        self.assertEqual((status, said), (1, "error: module-mgmt-host-postgres links what it must not\n"))


class TestDependencies(unittest.TestCase):
    def test_what_only_tests_use_is_named(self):
        manifest = (
            '[package]\nname = "x"\n\n[dependencies]\nserde.workspace = true\ntokio-postgres = "0.7"\nuuid = { version = "1" }\n\n'
            "[dev-dependencies]\nproptest.workspace = true\n"
        )
        source = "use serde::Serialize;\n#[cfg(test)]\nmod tests {\n    use uuid::Uuid;\n}\n"
        with files({"Cargo.toml": manifest, "src/lib.rs": source, "src/tests.rs": "use tokio_postgres::Client;"}) as crate:
            self.assertEqual(list(script("test-dependencies").for_tests_only(crate)), ["tokio-postgres", "uuid"])


class Packages(unittest.TestCase):
    def test_each_published_crate_brings_its_licence(self):
        for crate in script("msrv").PUBLISHED:
            with self.subTest(crate):
                command = ["cargo", "package", "--list", "--allow-dirty", "--quiet", "--package", crate]
                ran = subprocess.run(command, cwd=SCRIPTS.parent, capture_output=True, text=True, check=True)
                self.assertIn("LICENSE", ran.stdout.splitlines())
                self.assertEqual(
                    (SCRIPTS.parent / "crates" / crate / "LICENSE").read_text(), (SCRIPTS.parent / "LICENSE").read_text()
                )


if __name__ == "__main__":
    unittest.main()
