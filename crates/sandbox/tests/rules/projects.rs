//! Projects, members, boards, time.

use gitlab_sandbox::Role;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::world::{API, P, world};

#[test]
fn project_creation_is_refused_in_gitlabs_words() {
    let gitlab = world();
    let group = gitlab.look("/groups/g").unwrap()["id"].clone();
    let create = |name: &str, fields: Value| {
        let mut body = json!({"namespace_id": group});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        gitlab
            .as_user(name)
            .api("POST", "/projects", body)
            .map_err(|r| (r.status, r.body))
    };
    let taken = json!(["has already been taken"]);
    let both = json!({"message": {"project_namespace.name": taken, "project_namespace.path": taken, "name": taken, "path": taken}});
    assert_eq!(
        create("owner", json!({"name": "P", "path": "P"})).unwrap_err(),
        (400, both)
    );
    let path = json!({"message": {"project_namespace.path": taken, "path": taken}});
    assert_eq!(
        create("owner", json!({"name": "Q", "path": "p"})).unwrap_err(),
        (400, path)
    );
    let namespace = json!({"message": {"namespace": ["is not valid"]}});
    assert_eq!(create("reporter", json!({"name": "Q"})).unwrap_err(), (400, namespace));
    let wide = json!({"message": {"visibility_level": ["public is not allowed in a private group."]}});
    assert_eq!(
        create("owner", json!({"name": "Q", "visibility": "public"})).unwrap_err(),
        (400, wide)
    );
    let odd = json!({"error": "visibility does not have a valid value"});
    assert_eq!(
        create("owner", json!({"name": "Q", "visibility": "secret"})).unwrap_err(),
        (400, odd)
    );
    assert_eq!(
        create("developer", json!({"name": "Q and more"})).unwrap()["path"],
        "q-and-more"
    );
}

#[test]
fn deletion_renames_frees_the_path_and_comes_true_later() {
    let gitlab = world();
    let id = gitlab.project(P).unwrap().id;
    gitlab.admin().delete_project(P).unwrap();
    let marked = gitlab.look(&format!("/projects/{id}")).unwrap();
    assert_eq!(marked["path"], format!("p-deletion_scheduled-{id}"));
    assert_eq!(marked["marked_for_deletion_on"], "2026-03-05");
    assert!(
        gitlab.projects("g").unwrap().iter().any(|p| p.id == id),
        "it is still listed"
    );
    gitlab.add_project(P).unwrap();
    assert_eq!(
        gitlab
            .admin()
            .api("DELETE", &format!("/projects/{id}"), json!({}))
            .unwrap_err()
            .status,
        400
    );
    gitlab
        .admin()
        .api("POST", &format!("/projects/{id}/restore"), json!({}))
        .unwrap();
    let restored = gitlab.look(&format!("/projects/{id}")).unwrap();
    assert_ne!(restored["path"], "p", "the old path has another owner now");
    gitlab
        .admin()
        .api("DELETE", &format!("/projects/{id}"), json!({}))
        .unwrap();
    gitlab.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(gitlab.look(&format!("/projects/{id}")).unwrap_err().status, 404);
}

#[test]
fn archived_projects_take_no_change() {
    let gitlab = world();
    let iid = gitlab.admin().open_issue(P, "x", "", &[]).unwrap();
    gitlab.admin().archive_project(P).unwrap();
    let dev = gitlab.person("owner").unwrap();
    let refusals = [
        dev.open_issue(P, "y", "", &[]).unwrap_err(),
        dev.comment(P, iid, "y").unwrap_err(),
        dev.close_issue(P, iid).unwrap_err(),
        dev.push_file(P, "main", "b.md", "y").unwrap_err(),
        dev.create_label(P, "y", "red").unwrap_err(),
    ];
    assert_eq!(refusals.map(|r| r.status), [403; 5]);
    assert!(gitlab.project(P).unwrap().archived);
}

#[test]
fn members_inherit_cannot_sink_and_the_last_owner_stays() {
    let gitlab = world();
    let admin = gitlab.admin();
    assert_eq!(
        admin.add_member(P, "developer", Role::Developer).map_err(|r| r.status),
        Ok(())
    );
    assert_eq!(
        admin.add_member(P, "developer", Role::Maintainer).unwrap_err().status,
        409
    );
    let lower = admin.add_member(P, "maintainer", Role::Guest).unwrap_err();
    assert_eq!(
        lower.body["message"]["access_level"][0],
        "should be greater than or equal to Maintainer inherited membership from group G"
    );
    assert_eq!(
        admin.remove_member(P, "owner").unwrap_err().status,
        404,
        "inherited, not direct"
    );
    admin.remove_member("g", "owner2").unwrap();
    assert_eq!(
        gitlab
            .person("owner")
            .unwrap()
            .remove_member("g", "owner")
            .unwrap_err()
            .status,
        403
    );
    let maintainer = gitlab.person("maintainer").unwrap();
    assert_eq!(
        maintainer.add_member(P, "stranger", Role::Owner).unwrap_err().status,
        403
    );
    maintainer.add_member(P, "stranger", Role::Developer).unwrap();
    let all = gitlab.look(&format!("{API}/members/all?per_page=100")).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 7);
}

#[test]
fn a_new_project_has_no_board_and_two_boards_may_share_a_name() {
    let gitlab = world();
    assert_eq!(gitlab.boards(P).unwrap(), []);
    for _ in 0..2 {
        gitlab
            .admin()
            .api("POST", &format!("{API}/boards"), json!({"name": "Same"}))
            .unwrap();
    }
    assert_eq!(gitlab.boards(P).unwrap().len(), 2);
}
