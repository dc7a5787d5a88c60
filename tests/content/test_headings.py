"""Headings of a file name columns as the pages or the columns themselves are called."""

import pytest
from django.utils import translation

from content.base.headings import match_headings
from content.base.tables import FileError
from content.news.resources import PostResource
from content.palettes.resources import MembershipResource

LABELS = {"user_id": ("user_id", "Benutzernummer"), "title": ("title", "Titel"), "body": ("body", "Text")}


@pytest.mark.parametrize("header", ["user_id", "User ID", " USER  id ", "benutzernummer", "BenutzerNummer"])
def test_a_heading_is_known_by_each_of_its_names_in_any_case(header):
    assert match_headings(["x", header], LABELS).columns == {1: "user_id"}


def test_what_is_unknown_stays_as_it_is():
    headings = match_headings(["Titel", "Notes", "text"], LABELS)
    assert headings.names == ["title", "Notes", "body"]
    assert headings.unknown == ("Notes",)


def test_two_headings_of_one_column_are_both_named():
    with pytest.raises(FileError, match="“Titel” and “title” both name the column title"):
        match_headings(["Titel", "title"], LABELS)


def test_a_label_of_two_columns_means_neither_unless_it_is_the_name_of_one():
    labels = {"name": ("name", "Name"), "label": ("label", "Name"), "a": ("a", "Both"), "b": ("b", "Both")}
    assert match_headings(["NAME", "both"], labels).columns == {0: "name"}


def test_the_labels_of_the_pages_are_the_names_in_both_languages():
    with translation.override("de"):
        labels = PostResource().labels()
    assert labels["user_id"][0] == "user_id"
    assert "user id" in labels["user_id"]
    assert {"team", "user"} <= MembershipResource().labels().keys()
