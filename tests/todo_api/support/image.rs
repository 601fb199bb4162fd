//! Images without a container engine: what a Dockerfile says, and the files of its last stage.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::Command,
};

/// The last stage of a Dockerfile.
#[derive(Debug, Default)]
pub(crate) struct Image {
    pub(crate) user: String,
    pub(crate) working_folder: String,
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) entry_point: Vec<String>,
    pub(crate) command: Vec<String>,
    pub(crate) health_check: Vec<String>,
    copies: Vec<Copy>,
    /// What the Dockerfile calls `deploy/image-root` with, besides the program and the folder.
    files: Vec<String>,
}

/// `COPY --from=build --chown=OWNER FROM TO`.
#[derive(Debug)]
struct Copy {
    owner: Option<u32>,
    from: String,
    to: String,
}

impl Image {
    /// Reads a Dockerfile.
    ///
    /// # Panics
    ///
    /// If the last stage has an instruction that this function does not know, or is not empty at its
    /// start.
    pub(crate) fn read(dockerfile: &str) -> Self {
        let text = fs::read_to_string(dockerfile).unwrap().replace("\\\n", " ");
        let lines = text.lines().map(str::trim);
        let instructions: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
        let is_start = |(name, _): &(&str, &str)| *name == "FROM";
        let start = instructions.iter().rposition(is_start).unwrap();
        let (build, stage) = instructions.split_at(start);
        assert_eq!(stage[0].1, "scratch", "{dockerfile}");
        let mut image = Self { files: files(build), ..Self::default() };
        for (name, rest) in &stage[1..] {
            image.apply(name, rest.trim());
        }
        image
    }

    fn apply(&mut self, name: &str, rest: &str) {
        match name {
            "#" | "EXPOSE" => {}
            "COPY" => self.copies.push(Copy::parse(rest)),
            "USER" => self.user = rest.to_owned(),
            "WORKDIR" => self.working_folder = rest.to_owned(),
            "ENV" => {
                let (name, value) = rest.split_once('=').unwrap();
                self.variables.push((name.to_owned(), value.to_owned()));
            }
            "ENTRYPOINT" => self.entry_point = words(rest),
            "CMD" => self.command = words(rest),
            "HEALTHCHECK" => self.health_check = words(rest.split_once("CMD ").unwrap().1),
            other => panic!("the instruction {other} is unknown here"),
        }
    }

    /// Writes the files of the image to `folder`, as the Dockerfile does, but with a program that has
    /// already been built.
    pub(crate) fn assemble(&self, program: &Path, folder: &Path) {
        let build = tempfile::tempdir_in(folder.parent().unwrap()).unwrap();
        let stage = build.path().join("image");
        let mut script = Command::new("deploy/image-root");
        run(script.arg(program).arg(&stage).args(&self.files));
        for copy in &self.copies {
            let from = copy.from.strip_prefix("/image/").unwrap();
            let to = folder.join(copy.to.trim_start_matches('/'));
            fs::create_dir_all(&to).unwrap();
            // All of the folder, and its mode. The program is too large to be copied again.
            let mut cp = Command::new("cp");
            run(cp.args(["--archive", "--link"]).arg(stage.join(from).join(".")).arg(&to));
            if let Some(owner) = copy.owner {
                assert_eq!(fs::read_dir(&to).unwrap().count(), 0, "{copy:?}");
                chown(&to, Some(owner), Some(owner)).unwrap();
            }
        }
    }

    /// The number of the user, which is also that of the group.
    pub(crate) fn user_id(&self) -> u32 {
        let (user, group) = self.user.split_once(':').unwrap();
        assert_eq!(user, group);
        user.parse().unwrap()
    }

    /// The path of the program in the image.
    pub(crate) fn program(&self) -> PathBuf {
        self.entry_point[0].trim_start_matches('/').into()
    }
}

impl Copy {
    fn parse(text: &str) -> Self {
        let mut owner = None;
        let mut paths = Vec::new();
        for word in text.split_whitespace() {
            match word.split_once('=') {
                Some(("--from", "build")) => {}
                Some(("--chown", ids)) => {
                    let (user, group) = ids.split_once(':').unwrap();
                    assert_eq!(user, group);
                    owner = Some(user.parse().unwrap());
                }
                _ => paths.push(word.to_owned()),
            }
        }
        let [from, to] = paths.try_into().unwrap();
        Self { owner, from, to }
    }
}

/// What follows the program and the folder in the call of `deploy/image-root`.
fn files(build: &[(&str, &str)]) -> Vec<String> {
    let mut runs = build.iter().filter(|(name, _)| *name == "RUN");
    let call = runs.find_map(|(_, rest)| rest.split_once("deploy/image-root ")).unwrap().1;
    let mut words = call.split_whitespace().map(str::to_owned);
    assert!(words.next().unwrap().starts_with("target/release/"));
    assert_eq!(words.next().unwrap(), "/image");
    words.collect()
}

/// The words of an instruction in exec form, which needs no shell.
fn words(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_else(|_| panic!("not in exec form: {json}"))
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
