//! Files and links in the store's folder that it did not create.

use super::*;

#[test]
fn a_bucket_with_foreign_files_is_not_deleted() {
    let fixture = Fixture::new();
    for foreign in ["thesis.tex", "objects/.hidden", "channels/x.txt", "fragments/f/g.log"] {
        let path = fixture.path(foreign);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "kept").unwrap();
        assert_eq!(code(fixture.store.delete_bucket(BUCKET)), (409, "BucketNotEmpty"), "{foreign}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "kept");
        fs::remove_file(&path).unwrap();
        let _ = fs::remove_dir(fixture.path("fragments/f"));
    }
    fixture.store.delete_bucket(BUCKET).unwrap();
    assert!(!fixture.path("").exists());
}

#[test]
fn names_that_differ_in_case_are_distinct_in_folders_for_case_insensitive_file_systems() {
    let folder = crate::store::temporary::private("test-").unwrap();
    let naming = Naming { folds_case: true };
    for name in ["Cam", "cam"] {
        let store =
            Store::load(folder.path(), naming, Durability::Nothing, Clock::system()).unwrap();
        store.create_bucket(BUCKET, Acl::Private).unwrap();
        store.put_channel(BUCKET, name, settings()).unwrap();
        store.put_object(BUCKET, name, None, name.as_bytes()).unwrap();
    }
    let mut names: Vec<_> = ["channels", "objects"]
        .iter()
        .flat_map(|files| fs::read_dir(folder.path().join(BUCKET).join(files)).unwrap())
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_lowercase())
        .collect();
    names.sort();
    assert_eq!(names, ["%43am%", "%43am.json", "cam%", "cam.json"]);
    let store = Store::load(folder.path(), naming, Durability::Nothing, Clock::system()).unwrap();
    assert_eq!(store.list_channels(BUCKET, "", "", 9).unwrap().channels.len(), 2);
    assert_eq!(store.object(BUCKET, "Cam").unwrap().0.key, "Cam");
}

#[cfg(unix)]
mod links {
    use super::*;
    use std::os::unix::fs::symlink;

    /// Creates a folder outside the store, with a file `kept.ts`.
    fn outside() -> TempDir {
        let outside = crate::store::temporary::private("test-").unwrap();
        fs::write(outside.path().join("kept.ts"), "kept").unwrap();
        outside
    }

    fn is_intact(outside: &TempDir) {
        let names: Vec<_> = fs::read_dir(outside.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
        assert_eq!(fs::read_to_string(outside.path().join("kept.ts")).unwrap(), "kept");
    }

    /// Checks the result of each call on the key of a link.
    fn refusals(store: &Store, key: &str) {
        let internal = (500, "InternalError");
        assert_eq!(code(store.object(BUCKET, key)), internal, "{key}");
        let fault = store.object(BUCKET, key).unwrap_err();
        assert!(fault.message.contains("it is a link"), "{}", fault.message);
        let page = store.list_objects(BUCKET, "", "", None, 9).unwrap();
        assert_eq!(page, ObjectPage::default(), "{key}");
    }

    #[test]
    fn folders_of_objects_that_are_links_are_not_followed() {
        let (fixture, outside) = (Fixture::new(), outside());
        for (root, missing) in [("objects", false), ("records", false), ("objects", true)] {
            let target = if missing { outside.path().join("no") } else { outside.path().into() };
            let link = fixture.path(root).join("cam");
            symlink(target, &link).unwrap();
            for key in ["cam/kept.ts", "cam/new.ts", "cam/a/b.ts"] {
                let internal = (500, "InternalError");
                assert_eq!(code(fixture.store.put_object(BUCKET, key, None, b"x")), internal);
                assert_eq!(code(fixture.store.delete_object(BUCKET, key)), internal);
                if root == "objects" {
                    assert_eq!(code(fixture.store.object(BUCKET, key)), internal);
                }
            }
            is_intact(&outside);
            fs::remove_file(link).unwrap();
        }
    }

    #[test]
    fn objects_that_are_links_are_not_followed_and_can_be_replaced_and_deleted() {
        let (fixture, outside) = (Fixture::new(), outside());
        fs::create_dir(fixture.path("objects/cam")).unwrap();
        let link = fixture.path("objects/cam/kept.ts");
        for target in [outside.path().join("kept.ts"), outside.path().join("missing.ts")] {
            symlink(&target, &link).unwrap();
            refusals(&fixture.store, "cam/kept.ts");
            fixture.store.put_object(BUCKET, "cam/kept.ts", None, b"mine").unwrap();
            assert_eq!(fixture.text("cam/kept.ts"), "mine");
            is_intact(&outside);
            fs::remove_file(&link).unwrap();
            symlink(&target, &link).unwrap();
            fixture.store.delete_object(BUCKET, "cam/kept.ts").unwrap();
            assert!(!link.is_symlink());
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            is_intact(&outside);
        }
        symlink(outside.path(), &link).unwrap();
        assert_eq!(code(fixture.store.delete_bucket(BUCKET)), (409, "BucketNotEmpty"));
        is_intact(&outside);
    }

    #[test]
    fn an_index_of_fragments_that_is_a_link_is_not_followed() {
        let (fixture, outside) = (Fixture::with_channel("cam"), outside());
        symlink(outside.path().join("kept.ts"), fixture.path("fragments/cam.log")).unwrap();
        assert_eq!(code(fixture.publish("cam")), (500, "InternalError"));
        assert_eq!(code(fixture.store.vod_playlist(BUCKET, "cam", 0, 9)), (500, "InternalError"));
        is_intact(&outside);
    }

    #[test]
    fn a_link_in_the_place_of_an_unfinished_fragment_is_not_followed() {
        let (fixture, outside) = (Fixture::with_channel("cam"), outside());
        let mut session = fixture.publish("cam").unwrap();
        let part = fixture.store.find(BUCKET).unwrap().objects.part_path("cam/5.ts");
        symlink(outside.path().join("kept.ts"), part).unwrap();
        session.begin("5.ts").unwrap_err();
        is_intact(&outside);
    }
}
