"""For who is not in the team, its palettes don't exist: in the admin, in files, in history and on the sync's pages."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from backoffice.accounts.models import User
from backoffice.kit.urls import admin_url
from content.palettes.models import Membership, Palette, Team
from syncer.models import Attempt, Binding, Route, Run, Target
from syncer.reports.reading import may_read_all
from tests.content.files import cells_of, export, preview
from tests.content.pages import browser, person
from tests.content.palettes.people import FILES, palette, team_of

pytestmark = pytest.mark.law
SECRET = ("Design", "Spring", "#FF0000")


def key_of(model, spring):
    """The key of the palette, of its team, or of the team's membership."""
    return {Team: spring.team_id, Palette: spring.pk}.get(model) or Membership.objects.get(team=spring.team).pk


def hides(answer):
    text = answer.content.decode()
    return not any(word in text for word in SECRET)


# --- the admin's pages -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("model", [Team, Membership, Palette])
@pytest.mark.parametrize("query", [{}, {"q": "e"}, {"team__id__exact": "FOREIGN"}, {"o": "1"}])
def test_lists_filters_and_search_show_nothing_of_others(spring, outsider, model, query):
    query = {name: str(spring.team_id) if value == "FOREIGN" else value for name, value in query.items()}
    if model is Team:
        query.pop("team__id__exact", None)
    mine = palette(outsider.memberships.get().team, "Mine: e", colors=["#123"])
    answer = browser(outsider).get(admin_url(model, "changelist"), query)
    assert answer.status_code == 200
    assert hides(answer)
    own = {Team: "outsider&#x27;s team", Membership: "outsider", Palette: mine.name}
    assert ("team__id__exact" in query) is (own[model] not in answer.content.decode()) or model is Membership


def test_a_filter_offers_the_teams_of_ones_own(spring, member):
    answer = browser(member).get(admin_url(Palette, "changelist"), {"team__id__exact": spring.team_id})
    assert [row.pk for row in answer.context["cl"].result_list] == [spring.pk]
    assert '<option value="' + str(spring.team_id) in answer.content.decode()


def test_autocomplete_finds_nothing_of_others(team, member, outsider):
    query = {"app_label": "palettes", "model_name": "palette", "field_name": "team", "term": "des"}
    assert browser(outsider).get(reverse("admin:autocomplete"), query).json()["results"] == []
    found = browser(member).get(reverse("admin:autocomplete"), query).json()["results"]
    assert [row["text"] for row in found] == ["Design"]


@pytest.mark.parametrize("model", [Team, Membership, Palette])
@pytest.mark.parametrize("name", ["change", "delete", "history", "sync"])
def test_a_foreign_objects_pages_are_not_there(spring, outsider, model, name):
    key = key_of(model, spring)
    client = browser(outsider)
    for method in (client.get, client.post):
        answer = method(admin_url(model, name, key), {"post": "yes"}, follow=True)
        assert hides(answer)
        assert answer.status_code in (403, 404, 405) or answer.redirect_chain
    assert Palette.objects.filter(pk=spring.pk).exists()


def test_a_foreign_versions_page_is_not_there(spring, outsider):
    record = spring.history.get()
    client = browser(outsider)
    for method in (client.get, client.post):
        assert method(admin_url(Palette, "simple_history", spring.pk, record.pk)).status_code == 404


def test_what_was_deleted_stays_its_teams(spring, member, outsider):
    key = spring.pk
    spring.delete()
    assert browser(member).get(admin_url(Palette, "history", key)).status_code == 200
    assert browser(outsider).get(admin_url(Palette, "history", key)).status_code == 404


def test_a_former_owner_does_not_restore_what_another_team_deleted(spring, member, outsider):
    """It would come back with all versions, those of the other team too."""
    key, version = spring.pk, spring.history.get().pk
    spring.team = outsider.memberships.get().team
    spring.save()
    spring.delete()
    client = browser(member)
    for method in (client.get, client.post):
        assert method(admin_url(Palette, "simple_history", key, version)).status_code == 404
    assert not Palette.objects.filter(pk=key).exists()


def test_history_does_not_name_the_foreign_team_that_owned_a_palette(spring, member, outsider):
    spring.team = outsider.memberships.get().team
    spring.save()
    text = browser(outsider).get(admin_url(Palette, "history", spring.pk)).content.decode()
    assert "outsider&#x27;s team" in text
    assert "Design" not in text
    both = team_of(member, outsider, name="Both")
    spring.team = both
    spring.save()
    assert "Design" in browser(member).get(admin_url(Palette, "history", spring.pk)).content.decode()


@pytest.mark.parametrize("action", ["delete_selected", "sync_now"])
def test_a_foreign_palette_can_not_be_chosen_for_an_action(spring, action):
    client = browser(person("operator", "syncer.sync_target"))
    form = {"action": action, "_selected_action": [str(spring.pk)], "post": "yes"}
    assert hides(client.post(admin_url(Palette, "changelist"), form, follow=True))
    assert Palette.objects.filter(pk=spring.pk).exists()
    assert not Run.objects.exists()


def test_a_page_that_deletes_a_user_does_not_name_foreign_teams(team, member):
    client = browser(person("clerk", "accounts.view_user", "accounts.delete_user", *FILES))
    answer = client.get(reverse("admin:accounts_user_delete", args=[member.pk]))
    assert answer.status_code == 200
    assert "Design" not in answer.content.decode()


@pytest.mark.parametrize("form", [{}, {"initial": True}])
def test_a_form_takes_no_foreign_team(spring, outsider, form):
    query = f"?team={spring.team_id}" if form else ""
    client = browser(outsider)
    assert hides(client.get(admin_url(Palette, "add") + query))
    answer = client.post(admin_url(Palette, "add"), {"team": spring.team_id, "name": "Spring", "colors": "#123"})
    text = answer.content.decode()
    assert f"There is no team {spring.team_id} that you may see." in text
    assert "already" not in text
    assert Palette.objects.count() == 1


# --- files -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("model", "hidden"), [(Team, "Design"), (Membership, "member"), (Palette, "Spring")])
def test_an_export_holds_ones_own_only(spring, member, outsider, model, hidden):
    palette(outsider.memberships.get().team, "Mine")
    for user, finds in ((outsider, False), (member, True)):
        rows = cells_of(export(browser(user), model, "xlsx"))
        assert any(hidden in row for row in rows) is finds
        assert len(rows) > 1


@pytest.mark.parametrize(("model", "column"), [(Team, "name"), (Membership, "team"), (Palette, "name")])
def test_an_import_of_a_foreign_row_says_that_it_is_not_there(spring, outsider, model, column):
    key = key_of(model, spring)
    text = preview(browser(outsider), model, f"id,{column}\n{key},1\n").content.decode()
    assert f"There is no {model._meta.verbose_name} {key} that you may see." in text
    assert "/confirm/" not in text


def test_an_import_into_a_foreign_team_is_refused_as_into_none(spring, outsider):
    """Also where its palette has the same name, which nobody else is to learn."""

    def said(team):
        text = preview(browser(outsider), Palette, f"team,name,colors\n{team},Spring,#123\n").content.decode()
        assert "already" not in text
        return text.count("There is no team"), f"There is no team {team} that you may see." in text

    assert said(spring.team_id) == said(spring.team_id + 1000) == (1, True)
    assert Palette.objects.count() == 1


def test_an_import_into_a_foreign_team_adds_no_member(team, outsider):
    preview(browser(outsider), Membership, f"team,user\n{team.pk},outsider\n")
    assert Membership.objects.filter(team=team).count() == 1


# --- the sync's pages ------------------------------------------------------------------------------------------------
@pytest.fixture
def binding(spring):
    """A palette that a target holds, with the exchange that brought it there, and one that waits."""
    target = Target.objects.create(name="studio", url="http://127.0.0.1:9")
    Route.objects.create(target=target, model="palettes.Team", path="/teams", fields={"name": "name"})
    fields = {"teamId": "team", "name": "name", "colors": "colors"}
    route = Route.objects.create(target=target, model="palettes.Palette", path="/palettes", fields=fields)
    run = Run.objects.create(
        target=target, trigger=Run.Trigger.MANUAL, state=Run.State.DONE, message="x answered 400: Spring"
    )
    binding = Binding.objects.create(
        route=route, object_key=str(spring.pk), agreed={"name": "Spring"}, create_body={"name": "Spring"}, wanted=2
    )
    Attempt.objects.create(
        binding=binding, run=run, action="create", outcome="permanent", method="POST", url="http://127.0.0.1:9/Spring",
        request={"name": "Spring"}, answer="Spring", milliseconds=1, at=timezone.now(),
    )  # fmt: skip
    return binding


def sync_pages(binding):
    attempt = binding.attempts.get()
    lists = [admin_url(model, "changelist") for model in (Binding, Attempt, Run)]
    objects = [admin_url(type(obj), "change", obj.pk) for obj in (binding, attempt, attempt.run)]
    others = [admin_url(Run, "progress", attempt.run_id), admin_url(Target, "preview", binding.route.target_id)]
    return [*lists, *objects, *others]


OPERATOR = ("syncer.sync_target", "syncer.view_target", "news.view_post", "news.view_comment", "tasks.view_item")


@pytest.mark.django_db(transaction=True)
def test_the_syncs_pages_show_a_palette_to_its_team_only(binding, spring):
    operator = person("operator", *OPERATOR)
    client = browser(operator)
    for url in sync_pages(binding):
        answer = client.get(url)
        assert answer.status_code == 200, url
        assert hides(answer), url
    Membership.objects.create(team=spring.team, user=operator)
    shown = [url for url in sync_pages(binding) if not hides(client.get(url))]
    assert len(shown) >= 5


@pytest.mark.django_db(transaction=True)
def test_the_syncs_pages_show_a_deleted_palette_with_the_permission_to_see_all_teams(binding, spring):
    spring.delete()
    url = reverse("admin:syncer_binding_change", args=[binding.pk])
    assert hides(browser(person("operator", *OPERATOR)).get(url))
    assert not hides(browser(person("auditor", *OPERATOR, "palettes.view_all_teams")).get(url))


def test_whoever_sees_some_teams_only_may_not_read_all(rf, member):
    request = rf.get("/")
    request.user = member
    member.user_permissions.set(Permission.objects.exclude(codename="view_all_teams"))
    assert not may_read_all(request)
    member.user_permissions.add(Permission.objects.get(codename="view_all_teams"))
    request.user = User.objects.get(pk=member.pk)  # permissions are remembered
    assert may_read_all(request)


def test_teams_of_others_stay_out_of_the_counts(spring, member, outsider):
    client = browser(outsider)
    assert client.get(admin_url(Palette, "changelist")).context["cl"].result_count == 0
    assert browser(member).get(admin_url(Palette, "changelist")).context["cl"].result_count == 1
    assert Team.objects.visible_to(outsider).count() == 1
    assert Team.objects.visible_to(None).count() == 3
