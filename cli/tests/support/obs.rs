//! OBS Studio with the plugin of `examples/obs-plugin`, on a virtual screen, with
//! its own home directory.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use super::{Folder, LONG, Program, Ran, SOON, run, skipped, wait_until};

/// The library is built with link-time optimization.
const BUILD: Duration = Duration::from_secs(900);

/// What OBS encodes: 640x360 at 30 frames/s, and 48 kHz.
pub const VIDEO: (u32, u32, u32) = (640, 360, 30);
pub const AUDIO_RATE: u32 = 48_000;

/// Which of its two output modes OBS uses. They start streams differently.
#[derive(Clone, Copy)]
pub enum Mode {
    Simple,
    Advanced,
}

/// A home directory with OBS settings. One at a time: OBS needs a core.
pub struct Home {
    folder: Folder,
    _turn: MutexGuard<'static, ()>,
}

/// A running OBS and its screen.
pub struct Obs {
    program: Program,
    _screen: Program,
    display: String,
    commands: PathBuf,
}

impl Home {
    /// Creates a home directory with the plugin; `None`, which is reported, without
    /// OBS.
    pub fn new(what: &str, mode: Mode) -> Option<Home> {
        static TURN: Mutex<()> = Mutex::new(());
        if !has_obs() {
            skipped(what, "no OBS Studio, libobs or Xvfb; tests/real/setup.sh installs them");
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let home = Home { folder: Folder::new("obs"), _turn: turn };
        home.configure(mode);
        install_plugin(&home.config("plugins/osslive"));
        Some(home)
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the path of a file of OBS's configuration.
    pub fn config(&self, file: &str) -> PathBuf {
        self.path().join(".config/obs-studio").join(file)
    }

    pub fn write(&self, file: &str, text: &str) {
        let file = self.config(file);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file in the home directory");
    }

    /// Writes the plugin's settings, as its panel would.
    pub fn plugin_settings(&self, json: &str) {
        self.write("plugin_config/osslive/Tests.json", json);
    }

    /// Writes the settings of the Stream page.
    pub fn own_service(&self, server: &str, key: &str) -> String {
        let json =
            format!(r#"{{"type":"rtmp_custom","settings":{{"server":"{server}","key":"{key}"}}}}"#);
        self.write("basic/profiles/Tests/service.json", &json);
        json
    }

    /// Returns the files below the home directory that contain a string.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.config("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file"))
            {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|suffix| suffix != "so") {
                    let bytes = fs::read(&path).expect("a file");
                    if bytes.windows(text.len()).any(|window| window == text.as_bytes()) {
                        found.push(path);
                    }
                }
            }
        }
        found
    }

    fn configure(&self, mode: Mode) {
        let mode = match mode {
            Mode::Simple => "Simple",
            Mode::Advanced => "Advanced",
        };
        // OBS 31 and newer read these from user.ini. Without them, a wizard opens
        // in front of a window that then cannot be closed.
        for file in ["global.ini", "user.ini"] {
            self.write(
                file,
                "[General]\nFirstRun=true\nConfirmOnExit=false\n[Basic]\nProfile=Tests\n\
                 ProfileDir=Tests\nSceneCollection=Tests\nSceneCollectionFile=Tests\n",
            );
        }
        // A key frame every second.
        self.write(
            "basic/profiles/Tests/basic.ini",
            &format!(
                "[General]\nName=Tests\n[Video]\nBaseCX=640\nBaseCY=360\nOutputCX=640\n\
                 OutputCY=360\nFPSCommon=30\n[Output]\nMode={mode}\nRetryDelay=1\n[SimpleOutput]\n\
                 VBitrate=800\nUseAdvanced=true\nPreset=ultrafast\nx264Settings=keyint=30\n"
            ),
        );
        self.write(
            "basic/profiles/Tests/streamEncoder.json",
            r#"{"bitrate":800,"keyint_sec":1,"preset":"ultrafast"}"#,
        );
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real/obs.lua");
        let scene = r#"{"name":"Tests","current_scene":"Scene","current_program_scene":"Scene",
            "scene_order":[{"name":"Scene"}],"modules":{"scripts-tool":[{"path":"SCRIPT"}]},
            "sources":[{"id":"color_source_v3","name":"Colour",
              "settings":{"color":4283788079,"width":640,"height":360}},
              {"id":"scene","name":"Scene",
              "settings":{"items":[{"name":"Colour","id":1,"visible":true}]}}]}"#;
        let script = script.to_str().expect("a path in UTF-8");
        self.write("basic/scenes/Tests.json", &scene.replace("SCRIPT", script));
    }
}

impl Obs {
    /// Starts OBS with further variables, and waits until it runs.
    pub fn start(home: &Home, variables: &[(&str, &str)], arguments: &[&str]) -> Obs {
        let (screen, display) = start_screen();
        let runtime = home.path().join("runtime");
        fs::create_dir_all(&runtime).expect("a folder");
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).expect("its owner's");
        let commands = home.path().join("commands");
        // env sets what a desktop normally sets. OBS looks for news on the network,
        // with a closed port as its proxy.
        let mut command = Command::new("env");
        command.args(["-u", "XDG_CONFIG_HOME", "LIBGL_ALWAYS_SOFTWARE=1", "QT_QPA_PLATFORM=xcb"]);
        command.args(["https_proxy=http://127.0.0.1:9", "no_proxy=127.0.0.1"]);
        command.arg("ALIBABA_CLOUD_ECS_METADATA_DISABLED=true");
        command.args(["NO_PROXY=127.0.0.1".to_owned(), format!("DISPLAY={display}")]);
        command.arg(format!("HOME={}", home.path().display()));
        command.arg(format!("XDG_RUNTIME_DIR={}", runtime.display()));
        command.arg(format!("OBS_COMMANDS={}", commands.display()));
        command.args(variables.iter().map(|(name, value)| format!("{name}={value}")));
        command.args(["obs", "--multi", "--profile", "Tests", "--collection", "Tests"]);
        command.args(["--scene", "Scene"]).args(arguments);
        let program = Program::start(&mut command);
        let obs = Obs { program, _screen: screen, display, commands };
        obs.says("Startup complete");
        obs
    }

    /// Presses a button: see tests/real/obs.lua.
    pub fn press(&self, button: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.commands);
        let file = file.as_mut().expect("a file");
        file.write_all(format!("{button}\n").as_bytes()).expect("a line");
    }

    /// Waits until the log contains a string.
    pub fn says(&self, text: &str) {
        self.says_times(text, 1);
    }

    /// Waits until the log contains a string this many times.
    pub fn says_times(&self, text: &str, times: usize) {
        wait_until(&format!("OBS to say {times} times: {text}"), || {
            let log = self.log();
            (log.matches(text).count() >= times, log)
        });
    }

    pub fn log(&self) -> String {
        self.program.printed()
    }

    /// Returns whether this OBS crashes even without any plugin: version 30 does, in
    /// four of six attempts.
    pub fn crashes_when_closed_while_streaming() -> bool {
        let version = run(Command::new("obs").arg("--version"), LONG).stdout;
        version.split(" - ").nth(1).is_some_and(|number| number.starts_with("30."))
    }

    /// Quits OBS by closing its window: on Ctrl-C, OBS exits within the signal
    /// handler. It must exit successfully and leave nothing behind.
    pub fn quit(self) {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/real/close_window.py");
        let mut close = Command::new("python3");
        close.arg(script).arg("OBS ").env("DISPLAY", &self.display);
        run(&mut close, SOON).silent("closing the window of OBS");
        let Ran { status, stdout, stderr } = self.program.end(SOON);
        assert!(status.success(), "OBS: {status}\n{stdout}{stderr}");
        assert!(stdout.contains("Number of memory leaks: 0"), "OBS: {stdout}{stderr}");
    }
}

fn has_obs() -> bool {
    let found = |program: &str, argument: &str| {
        let mut command = Command::new(program);
        command.arg(argument).output().is_ok_and(|output| output.status.success())
    };
    found("obs", "--version")
        && Command::new("Xvfb").arg("-help").output().is_ok()
        && found("cmake", "--version")
        && run(Command::new("pkg-config").args(["--exists", "libobs"]), LONG).status.success()
}

/// Starts a virtual screen, and returns it with its display name.
fn start_screen() -> (Program, String) {
    let mut command = Command::new("Xvfb");
    command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
    let screen = Program::start(&mut command);
    wait_until("a screen", || (screen.printed().contains('\n'), screen.printed()));
    let display = format!(":{}", screen.printed().trim());
    (screen, display)
}

/// Builds the plugin with the installed library, once for all tests, and puts it
/// where OBS looks for it.
fn install_plugin(folder: &Path) {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let build = BUILT.get_or_init(build_plugin);
    let mut install = Command::new("cmake");
    install.arg("--install").arg(build).arg("--prefix").arg(folder);
    succeeds(&mut install);
}

fn build_plugin() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (prefix, build) = (scratch.join("obs-prefix"), scratch.join("obs-plugin"));
    let mut library = Command::new("sh");
    library.arg(root.join("packaging/install.sh")).arg("install").env("PREFIX", &prefix);
    library.env("OSSLIVE_BUILD", root.join("target/capi"));
    succeeds(&mut library);
    let mut configure = Command::new("cmake");
    configure.arg("-S").arg(root.join("examples/obs-plugin")).arg("-B").arg(&build);
    configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    configure.args(["-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_C_FLAGS=-Werror"]);
    succeeds(&mut configure);
    succeeds(Command::new("cmake").arg("--build").arg(&build));
    build
}

fn succeeds(command: &mut Command) {
    let ran = run(command, BUILD);
    let what = command.get_program().to_string_lossy();
    assert!(ran.status.success(), "{what}: {}\n{}{}", ran.status, ran.stdout, ran.stderr);
}
