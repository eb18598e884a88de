#!/usr/bin/env python3
"""Runs python-gitlab, a client that nobody here wrote, against a GitLab, through its ordinary objects.

    GITLAB_TEST_URL=… GITLAB_TEST_TOKEN=… python_gitlab_conformance.py

It works only inside a group that it makes itself and removes at the end, so that it can also be pointed at a real GitLab
with a throw-away account (GITLAB_TEST_PARENT: number of a group to make it in, where top-level groups are not allowed).
Checks that need a second person run only where GITLAB_TEST_SECOND_USER names one.
Prints one line a failed check and a summary; exit code 1 when any check failed.
"""

import base64
import os
import sys
import time
import uuid

import gitlab
from gitlab.exceptions import GitlabError

CALLS = 0
CHECKS = 0
FAILED = []


def check(name, good, detail=""):
    """Counts one expectation."""
    global CHECKS
    CHECKS += 1
    if not good:
        FAILED.append(name)
        print(f"FAILED {name} {detail}")


def same(name, got, wanted):
    check(name, got == wanted, f"got {got!r}, wanted {wanted!r}")


def refused(name, status, action, part=""):
    """Expects GitLab to refuse with a status and, if given, a text in the message."""
    try:
        action()
    except GitlabError as error:
        text = f"{error.error_message} {error.response_body}"
        check(name, error.response_code == status and part in text, f"got {error.response_code}: {text}")
    else:
        check(name, False, "it was allowed")


def count_calls(client):
    """Counts what goes over the wire."""
    original = client.http_request

    def counting(*args, **kwargs):
        global CALLS
        CALLS += 1
        return original(*args, **kwargs)

    client.http_request = counting
    return client


def eventually(probe, tries=30):
    """Some of GitLab's work is done later: asks again for a while."""
    for _ in range(tries):
        value = probe()
        if value:
            return value
        time.sleep(0.2)
    return None


def about_the_instance(gl):
    gl.auth()
    check("who am I", gl.user.id > 0)
    version, revision = gl.version()
    check("version", version != "unknown" and revision)
    same("own user by name", [u.id for u in gl.users.list(username=gl.user.username)], [gl.user.id])
    same("own user by upper-case name", [u.id for u in gl.users.list(username=gl.user.username.upper())], [gl.user.id])
    same("nobody of that name", gl.users.list(username="no-such-user-" + uuid.uuid4().hex), [])
    same("user by number", gl.users.get(gl.user.id).username, gl.user.username)
    html = gl.markdown("**bold** <script>alert(1)</script>")
    check("markdown is rendered", "<strong" in html and "<script" not in html, html)
    refused("no such project", 404, lambda: gl.projects.get(10**9), "404 Project Not Found")
    refused("no such group", 404, lambda: gl.groups.get(10**9), "404 Group Not Found")


def groups(gl):
    parent = os.environ.get("GITLAB_TEST_PARENT")
    path = "conformance-" + uuid.uuid4().hex[:10]
    fields = {"name": path, "path": path, "visibility": "private"}
    if parent:
        fields["parent_id"] = int(parent)
    group = gl.groups.create(fields)
    same("group by path", gl.groups.get(group.full_path).id, group.id)
    same("group by number", gl.groups.get(group.id).full_path, group.full_path)
    sub = gl.groups.create({"name": "Below", "path": "below", "parent_id": group.id, "visibility": "private"})
    same("subgroup knows its parent", sub.parent_id, group.id)
    same("subgroups", [g.id for g in group.subgroups.list()], [sub.id])
    check("own groups", any(g.id == group.id for g in gl.groups.list(owned=True, search=path)))
    group.description = "changed"
    group.save()
    same("group description", gl.groups.get(group.id).description, "changed")
    return group, sub


def group_labels(group):
    label = group.labels.create({"name": "shared", "color": "#00ff00", "description": "from the group"})
    same("group label", label.name, "shared")
    refused("group label twice", 409, lambda: group.labels.create({"name": "shared", "color": "#00ff00"}), "already exists")
    label.color = "#112233"
    label.save()
    same("group label colour", [one.color for one in group.labels.list(search="shared")], ["#112233"])
    return label


def projects(gl, group, sub):
    project = gl.projects.create(
        {
            "name": "First one",
            "path": "first-one",
            "namespace_id": group.id,
            "description": "a < b & c",
            "topics": ["alpha", "beta"],
            "visibility": "private",
        }
    )
    same("project path", project.path_with_namespace, f"{group.full_path}/first-one")
    same("project text survives", project.description, "a < b & c")
    same("topics", project.topics, ["alpha", "beta"])
    check("empty repository", project.empty_repo)
    same("nothing to delete", project.marked_for_deletion_on, None)
    taken = {"name": "FIRST ONE", "path": "second", "namespace_id": group.id}
    refused("name taken, whatever its case", 400, lambda: gl.projects.create(taken), "has already been taken")
    taken = {"name": "Second", "path": "First-One", "namespace_id": group.id}
    refused("path taken, whatever its case", 400, lambda: gl.projects.create(taken), "has already been taken")
    wider = {"name": "Wide", "path": "wide", "namespace_id": group.id, "visibility": "public"}
    refused("wider than the group", 400, lambda: gl.projects.create(wider), "not allowed in a private group")
    odd = {"name": "Odd", "path": "odd.git", "namespace_id": group.id}
    refused("path that ends in .git", 400, lambda: gl.projects.create(odd))
    reserved = {"name": "Wikis", "path": "wikis", "namespace_id": group.id}
    refused("reserved path", 400, lambda: gl.projects.create(reserved))
    refused("nothing given", 400, lambda: gl.projects.create({"namespace_id": group.id}))
    nobody = {"name": "Nowhere", "path": "nowhere", "namespace_id": 10**9}
    refused("no such namespace", 400, lambda: gl.projects.create(nobody))
    same("project by path", gl.projects.get(project.path_with_namespace).id, project.id)
    project.description = None
    project.topics = ["gamma"]
    project.save()
    same("topics replaced", gl.projects.get(project.id).topics, ["gamma"])
    below = gl.projects.create({"name": "Below", "path": "below", "namespace_id": sub.id})
    direct = [p.id for p in group.projects.list()]
    deep = [p.id for p in group.projects.list(include_subgroups=True)]
    check("only direct projects", project.id in direct and below.id not in direct)
    check("with subgroups", project.id in deep and below.id in deep)
    check("search", [p.id for p in group.projects.list(search="first")] == [project.id])
    return project, below


def files_and_commits(project):
    refused("no file in an empty repository", 404, lambda: project.files.get("README.md", ref="main"))
    same("no commits yet", project.commits.list(get_all=False), [])
    first = project.commits.create(
        {
            "branch": "main",
            "commit_message": "First commit\n\nwith a body",
            "actions": [
                {"action": "create", "file_path": "README.md", "content": "# First\n\nline\n"},
                {"action": "create", "file_path": "docs/a b.md", "content": "one\r\ntwo"},
                {
                    "action": "create",
                    "file_path": "bytes.bin",
                    "content": base64.b64encode(bytes(range(256))).decode(),
                    "encoding": "base64",
                },
            ],
        }
    )
    same("commit title", first.title, "First commit")
    same("stats", first.stats["additions"] > 0, True)
    readme = project.files.get("README.md", ref="main")
    same("file content", readme.decode(), b"# First\n\nline\n")
    same("file's last commit", readme.last_commit_id, first.id)
    same("bytes stay", project.files.raw("bytes.bin", ref="main"), bytes(range(256)))
    same("carriage returns stay", project.files.raw("docs/a b.md", ref="main"), b"one\r\ntwo")
    refused("no such file", 404, lambda: project.files.get("nothing", ref="main"), "404 File Not Found")
    refused("no such ref", 404, lambda: project.files.get("README.md", ref="nothing"), "404 Commit Not Found")
    second = project.commits.create(
        {
            "branch": "main",
            "commit_message": "Elsewhere",
            "actions": [{"action": "update", "file_path": "docs/a b.md", "content": "three"}],
        }
    )
    readme = project.files.get("README.md", ref="main")
    same("head moved", readme.commit_id, second.id)
    same("the file's last commit did not", readme.last_commit_id, first.id)

    def commit(branch="main", **action):
        return project.commits.create({"branch": branch, "commit_message": "x", "actions": [action]})

    refused(
        "create what exists",
        400,
        lambda: commit(action="create", file_path="README.md", content="x"),
        "A file with this name already exists",
    )
    refused(
        "update what is missing",
        400,
        lambda: commit(action="update", file_path="nothing", content="x"),
        "A file with this name doesn't exist",
    )
    refused(
        "somebody was faster",
        400,
        lambda: commit(action="update", file_path="docs/a b.md", content="x", last_commit_id=first.id),
        "The file has changed since you started editing it: docs/a b.md",
    )
    commit(action="update", file_path="README.md", content="# Second\n", last_commit_id=first.id)
    refused(
        "no such branch",
        400,
        lambda: commit(branch="nothing", action="create", file_path="x", content="x"),
        "You can only create or edit files when you are on a branch",
    )
    commit(action="move", file_path="docs/c.md", previous_path="docs/a b.md")
    paths = sorted(item["path"] for item in project.repository_tree(recursive=True, get_all=True))
    same("tree", paths, ["README.md", "bytes.bin", "docs", "docs/c.md"])
    same("folder", [item["name"] for item in project.repository_tree(path="docs")], ["c.md"])
    log = project.commits.list(get_all=True)
    same("four commits, newest first", log[-1].id, first.id)
    same("commits of one file", [c.id for c in project.commits.list(query_parameters={"path": "README.md"}, get_all=True)][-1], first.id)
    same("one commit", project.commits.get(first.id[:10]).id, first.id)
    changed = [d["new_path"] for d in project.commits.get(second.id).diff()]
    same("difference of a commit", changed, ["docs/a b.md"])
    one = project.files.create(
        {"file_path": "single.txt", "branch": "main", "content": "s", "commit_message": "Single"}
    )
    same("one-file commit", one.file_path, "single.txt")
    one.content = "changed"
    one.save(branch="main", commit_message="Change")
    one.delete(branch="main", commit_message="Remove")
    refused("file is gone", 404, lambda: project.files.get("single.txt", ref="main"))
    return first


def branches(project):
    branch = project.branches.create({"branch": "feature/one", "ref": "main"})
    same("branch", branch.name, "feature/one")
    refused("branch twice", 400, lambda: project.branches.create({"branch": "feature/one", "ref": "main"}), "Branch already exists")
    refused("branch from nowhere", 400, lambda: project.branches.create({"branch": "x", "ref": "nothing"}), "Invalid reference name")
    main = project.branches.get("main")
    check("default branch is protected", main.default and main.protected)
    same("prefix search", [b.name for b in project.branches.list(search="^feature/")], ["feature/one"])
    refused("no such branch", 404, lambda: project.branches.get("nothing"), "404 Branch Not Found")
    project.commits.create(
        {
            "branch": "feature/one",
            "commit_message": "On a branch",
            "actions": [{"action": "create", "file_path": "new.md", "content": "new\n"}],
        }
    )
    compared = project.repository_compare("main", "feature/one")
    same("compare: commits", [c["title"] for c in compared["commits"]], ["On a branch"])
    same("compare: files", [d["new_path"] for d in compared["diffs"]], ["new.md"])
    again = {
        "branch": "feature/one",
        "start_branch": "main",
        "commit_message": "Again",
        "actions": [{"action": "create", "file_path": "new.md", "content": "newer\n"}],
    }
    refused("new branch that exists", 400, lambda: project.commits.create(again), "A branch called 'feature/one' already exists")
    project.commits.create({**again, "force": True})
    same("rebuilt branch", [c["title"] for c in project.repository_compare("main", "feature/one")["commits"]], ["Again"])
    protected = project.protectedbranches.create({"name": "stable-*", "push_access_level": 40})
    same("protected", [p.name for p in project.protectedbranches.list() if p.name == "stable-*"], ["stable-*"])
    refused("protected twice", 409, lambda: project.protectedbranches.create({"name": "stable-*"}))
    protected.delete()
    gone = project.branches.create({"branch": "short-lived", "ref": "main"})
    gone.delete()
    refused("branch is gone", 404, lambda: project.branches.get("short-lived"))


def labels_and_boards(project, shared):
    label = project.labels.create({"name": "own", "color": "#ff0000"})
    refused("label twice", 409, lambda: project.labels.create({"name": "own", "color": "#ff0000"}), "Label already exists")
    refused("the group has it", 409, lambda: project.labels.create({"name": "shared", "color": "#ff0000"}), "Label already exists")
    refused("colour that is none", 400, lambda: project.labels.create({"name": "odd", "color": "reddish"}))
    names = {one.name: one.is_project_label for one in project.labels.list(get_all=True)}
    same("labels of project and group", names, {"own": True, "shared": False})
    same("no board yet", project.boards.list(), [])
    board = project.boards.create({"name": "Work"})
    same("board has no lists", board.lists.list(), [])
    first = board.lists.create({"label_id": label.id})
    board.lists.create({"label_id": shared.id})
    refused("list twice", 400, lambda: board.lists.create({"label_id": label.id}), "already been taken")
    refused("list of no label", 400, lambda: board.lists.create({"label_id": 10**9}), "Label not found")
    same("lists in order", [one.label["name"] for one in board.lists.list()], ["own", "shared"])
    first.position = 1
    first.save()
    same("list moved", [one.label["name"] for one in board.lists.list()], ["shared", "own"])
    same("board by number", project.boards.get(board.id).name, "Work")


def issues(gl, project):
    issue = project.issues.create({"title": "One", "description": "text", "labels": ["own", "by use"]})
    same("labels, one made by use", issue.labels, ["by use", "own"])
    same("first number", issue.iid, 1)
    same("state", issue.state, "opened")
    refused("no title", 400, lambda: gl.http_post(f"/projects/{project.id}/issues", post_data={"description": "x"}), "title is missing")
    issue.description = "other text"
    issue.save()
    check(
        "the trail says so",
        any(n.system and n.body == "changed the description" for n in issue.notes.list(get_all=True)),
    )
    issue.add_labels = ["shared"]
    issue.remove_labels = ["own"]
    issue.save()
    same("labels added and removed", project.issues.get(1).labels, ["by use", "shared"])
    events = [(e.action, e.label["name"]) for e in issue.resourcelabelevents.list(get_all=True)]
    check("label events", ("remove", "own") in events and ("add", "shared") in events, events)
    issue.state_event = "close"
    issue.save()
    same("closed", project.issues.get(1).state, "closed")
    same("closed by", project.issues.get(1).attributes["closed_by"]["id"], gl.user.id)
    issue.state_event = "reopen"
    issue.save()
    same("state events", [e.state for e in issue.resourcestateevents.list()], ["closed", "reopened"])
    secret = project.issues.create({"title": "Secret", "confidential": True})
    check("confidential", project.issues.get(secret.iid).confidential)
    for number in range(3, 26):
        project.issues.create({"title": f"Issue {number}"})
    page = project.issues.list(state="opened", get_all=False)
    same("twenty a page", len(page), 20)
    walked = project.issues.list(iterator=True, per_page=10, order_by="created_at", sort="asc")
    same("headers count", (walked.total, walked.total_pages, walked.per_page), (25, 3, 10))
    same("offset pages", [i.iid for i in walked], list(range(1, 26)))
    same("by label", [i.iid for i in project.issues.list(labels=["shared"])], [1])
    same("by number", [i.iid for i in project.issues.list(iids=[3, 4], sort="asc")], [3, 4])
    same("by text", [i.iid for i in project.issues.list(search="Secret")], [secret.iid])
    link = issue.links.create({"target_project_id": project.id, "target_issue_iid": 3})
    same("linked", [i.iid for i in issue.links.list()], [3])
    issue.links.delete(link[1].issue_link_id if hasattr(link[1], "issue_link_id") else issue.links.list()[0].issue_link_id)
    same("unlinked", issue.links.list(), [])
    return issue


def notes(gl, project, issue):
    note = issue.notes.create({"body": "hello <b>there</b>"})
    same("note", note.body, "hello <b>there</b>")
    note.body = "<!-- marker -->\nchanged"
    note.save()
    same("note changed", issue.notes.get(note.id).body, "<!-- marker -->\nchanged")
    refused("empty note", 400, lambda: issue.notes.create({"body": "   "}))
    body = gl.http_post(f"/projects/{project.id}/issues/{issue.iid}/notes", post_data={"body": "/label ~own"})
    check("only commands: no note", "id" not in body and body["summary"], body)
    check("but it was done", "own" in project.issues.get(issue.iid).labels)
    mixed = issue.notes.create({"body": "text\n\n/unlabel ~own"})
    same("commands are cut out", mixed.body, "text")
    quoted = issue.notes.create({"body": "> /close\n\n    /close\n\n`/close`\n\n\\/close"})
    check("quotes and code are no commands", "/close" in quoted.body)
    same("still open", project.issues.get(issue.iid).state, "opened")
    comments = issue.notes.list(get_all=True, sort="asc", order_by="created_at", activity_filter="only_comments")
    same("oldest first", comments[0].id, note.id)
    newest = issue.notes.list(get_all=True)
    check("newest first by default", newest[0].id > newest[-1].id)
    mixed.delete()
    refused("note is gone", 404, lambda: issue.notes.get(mixed.id), "404")


def merge_requests(gl, project, issue):
    new = {
        "source_branch": "feature/one",
        "target_branch": "main",
        "title": "Draft: One",
        "description": f"Closes #{issue.iid}",
        "labels": "own,shared",
    }
    request = project.mergerequests.create(new)
    same("labels as text", request.labels, ["own", "shared"])
    check("draft", request.draft)
    refused("a second one", 409, lambda: project.mergerequests.create(new), f"!{request.iid}")
    twice = {**new, "target_branch": "feature/one"}
    refused("into itself", 422, lambda: project.mergerequests.create(twice))
    missing = {"source_branch": "feature/one", "target_branch": "main"}
    refused("no title", 400, lambda: gl.http_post(f"/projects/{project.id}/merge_requests", post_data=missing), "title is missing")

    def status():
        known = project.mergerequests.get(request.iid).detailed_merge_status
        return None if known in ("preparing", "checking", "unchecked", "approvals_syncing") else known

    same("drafts cannot be merged", eventually(status), "draft_status")
    refused("merging a draft", 405, lambda: request.merge())
    request.title = "One"
    request.save()
    same("mergeable", eventually(status), "mergeable")
    same("found by branch", [m.iid for m in project.mergerequests.list(source_branch="feature/one", state="opened")], [request.iid])
    same("its commits", [c.title for c in request.commits()], ["Again"])
    changes = request.changes()["changes"]
    check("its difference", changes[0]["new_path"] == "new.md" and "+newer" in changes[0]["diff"], changes)
    same("what it closes", [i.iid for i in request.closes_issues()], [issue.iid])
    request.notes.create({"body": "looks good"})
    check("its notes", any(n.body == "looks good" for n in request.notes.list(get_all=True)))
    refused("another head", 409, lambda: request.merge(sha="0" * 40), "SHA does not match HEAD of source branch")
    merged = request.merge(sha=project.mergerequests.get(request.iid).sha, should_remove_source_branch=True)
    same("merged", merged["state"], "merged")
    check("a merge commit", merged["merge_commit_sha"])
    same("the file arrived", project.files.raw("new.md", ref="main"), b"newer\n")
    check("the branch went", eventually(lambda: not project.branches.list(search="^feature/")) is not None)
    check("the issue closed", eventually(lambda: project.issues.get(issue.iid).state == "closed"))
    conflict(project)


def conflict(project):
    for branch, text in (("left", "left\n"), ("right", "right\n")):
        project.commits.create(
            {
                "branch": branch,
                "start_branch": "main",
                "commit_message": branch,
                "actions": [{"action": "update", "file_path": "new.md", "content": text}],
            }
        )
        project.mergerequests.create({"source_branch": branch, "target_branch": "main", "title": branch})
    left, right = (project.mergerequests.list(source_branch=b)[0] for b in ("left", "right"))
    eventually(lambda: project.mergerequests.get(left.iid).detailed_merge_status == "mergeable")
    left.merge()
    known = eventually(lambda: project.mergerequests.get(right.iid).has_conflicts)
    check("two changes of a line conflict", known)
    refused("a conflict is not merged", 422, lambda: right.merge())
    right.state_event = "close"
    right.save()
    same("closed", project.mergerequests.get(right.iid).state, "closed")


def members(gl, group, project):
    same("creator is owner", [m.access_level for m in group.members.list() if m.id == gl.user.id], [50])
    same("inherited member", project.members_all.get(gl.user.id).access_level, 50)
    same("not a direct one", [m.id for m in project.members.list()], [])
    refused("no such user", 404, lambda: project.members.create({"user_id": 10**9, "access_level": 30}))
    answer = project.invitations.create({"email": "nobody@example.com", "access_level": 20})
    check("an invitation says what came of it", getattr(answer, "status", "") in ("success", "error"))
    second = os.environ.get("GITLAB_TEST_SECOND_USER")
    if not second:
        return
    user = gl.users.list(username=second)[0]
    member = project.members.create({"user_id": user.id, "access_level": 30})
    same("member", member.username, second)
    refused("member twice", 409, lambda: project.members.create({"user_id": user.id, "access_level": 30}), "Member already exists")
    member.access_level = 40
    member.save()
    same("another level", project.members.get(user.id).access_level, 40)
    group.members.create({"user_id": user.id, "access_level": 40})
    refused("below the inherited level", 400, lambda: project.members.delete(user.id) or project.members.create({"user_id": user.id, "access_level": 20}), "inherited membership")
    group.members.delete(user.id)
    refused("gone", 404, lambda: group.members.get(user.id))


def hooks(project):
    hook = project.hooks.create({"url": "http://127.0.0.1:9/hook", "issues_events": True, "token": "secret"})
    check("pushes are on unasked", hook.push_events and hook.issues_events and not hook.note_events)
    check("the token does not come back", not hasattr(hook, "token"))
    same("found by address", [h.id for h in project.hooks.list() if h.url == "http://127.0.0.1:9/hook"], [hook.id])
    refused("no address", 422, lambda: project.hooks.create({"url": "nonsense"}), "Invalid url given")
    hook.note_events = True
    hook.save()
    check("changed", project.hooks.get(hook.id).note_events)
    hook.delete()
    refused("hook is gone", 404, lambda: project.hooks.get(hook.id))


def people_around(gl, group, project, issue):
    award = issue.awardemojis.create({"name": "thumbsup"})
    same("emoji", [a.name for a in issue.awardemojis.list()], ["thumbsup"])
    refused("the same emoji twice", 404, lambda: issue.awardemojis.create({"name": "thumbsup"}))
    same("counted", project.issues.get(issue.iid).upvotes, 1)
    award.delete()
    thread = issue.discussions.create({"body": "A thread"})
    thread.notes.create({"body": "goes on"})
    found = issue.discussions.get(thread.id)
    same("thread", [n["body"] for n in found.attributes["notes"]], ["A thread", "goes on"])
    events = eventually(lambda: project.events.list(action="created", get_all=False))
    check("events", events and all(e.author_username == gl.user.username for e in events))
    email = f"{uuid.uuid4().hex}@example.org"
    invited = project.invitations.create({"email": email, "access_level": 10})
    same("invited", invited.status, "success")
    same("one invitation", [i.access_level for i in project.invitations.list(query=email)], [10])
    project.invitations.delete(email)
    same("withdrawn", project.invitations.list(query=email), [])
    same("nobody asks", group.accessrequests.list(), [])
    badge = project.badges.create({"link_url": "https://example.org", "image_url": "https://example.org/a.svg"})
    badge.link_url = "https://example.org/b"
    badge.save()
    same("badge", project.badges.get(badge.id).link_url, "https://example.org/b")
    badge.delete()


def access_tokens(gl, group):
    """Where groups get tokens: everywhere but on GitLab.com without Premium."""
    end = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 3 * 86400))
    new = {"name": "helper", "scopes": ["api"], "access_level": 30, "expires_at": end}
    try:
        token = group.access_tokens.create(new)
    except GitlabError as error:
        print(f"no access tokens for groups here: {error}")
        return
    bot = gitlab.Gitlab(gl.url, private_token=token.token)
    bot.auth()
    check("the token's bot", bot.user.bot and bot.user.username.startswith(f"group_{group.id}_bot"), bot.user.username)
    own = bot.personal_access_tokens.get("self")
    same("what the token says of itself", (own.id, own.expires_at, own.scopes), (token.id, end, ["api"]))
    refused("a bot makes no tokens", 401, lambda: bot.groups.get(group.id).access_tokens.create(new))
    same("listed", [t.name for t in group.access_tokens.list()], ["helper"])
    group.access_tokens.get(token.id).rotate()
    refused("the old one is dead", 401, bot.auth)
    for left in group.access_tokens.list(state="active"):
        left.delete()
    same("all revoked", group.access_tokens.list(state="active"), [])


def paging_by_keyset(gl, group):
    for number in range(1, 6):
        name = f"Page {number}"
        gl.projects.create({"name": name, "path": f"page-{number}", "namespace_id": group.id})
    walked = gl.projects.list(
        pagination="keyset", order_by="id", sort="asc", per_page=2, owned=True, search="Page ", iterator=True
    )
    names = [p.name for p in walked if p.path_with_namespace.startswith(group.full_path)]
    same("keyset pages", names, [f"Page {n}" for n in range(1, 6)])
    tree = [p.id for p in group.projects.list(order_by="id", sort="asc", get_all=True, per_page=3)]
    same("offset pages of a group", tree, sorted(tree))


def moving_and_ending(gl, group, sub, project):
    project.archive()
    check("archived", gl.projects.get(project.id).archived)
    refused("archived is read-only", 403, lambda: project.issues.create({"title": "late"}))
    project.unarchive()
    project = gl.projects.get(project.id)
    old = project.path_with_namespace
    project.path = "renamed"
    project.save()
    same("old path leads to it", gl.projects.get(old).id, project.id)
    project.transfer(sub.id)
    same("moved", gl.projects.get(project.id).path_with_namespace, f"{sub.full_path}/renamed")
    project.delete()
    ending = eventually(lambda: gl.projects.get(project.id))
    check("marked for deletion", ending.marked_for_deletion_on)
    check("renamed by that", "deletion_scheduled" in ending.path or "deleted" in ending.path, ending.path)
    project.restore()
    same("restored", gl.projects.get(project.id).path, "renamed")


def main():
    gl = count_calls(gitlab.Gitlab(os.environ["GITLAB_TEST_URL"], private_token=os.environ["GITLAB_TEST_TOKEN"]))
    about_the_instance(gl)
    group, sub = groups(gl)
    try:
        shared = group_labels(group)
        project, below = projects(gl, group, sub)
        files_and_commits(project)
        branches(project)
        labels_and_boards(project, shared)
        issue = issues(gl, project)
        notes(gl, project, issue)
        merge_requests(gl, project, issue)
        members(gl, group, project)
        hooks(project)
        people_around(gl, group, project, issue)
        access_tokens(gl, group)
        paging_by_keyset(gl, group)
        moving_and_ending(gl, group, sub, project)
        check("something was below", below.id > 0)
    finally:
        gl.groups.delete(group.id)
    print(f"python-gitlab {gitlab.__version__}: {CALLS} calls, {CHECKS} checks, {len(FAILED)} failed")
    return 1 if FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
