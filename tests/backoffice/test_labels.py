"""The labels of models follow the reader's language, and no migration sees that."""

import pytest
from django.core.management import call_command
from django.urls import reverse
from django.utils.translation import override

from content.news.models import Comment, Post
from content.orders.models import Order, Status
from syncer.models import Target
from tests.backoffice.accounts.people import account
from tests.content.pages import browser


@pytest.mark.parametrize(
    ("language", "names", "field", "choice"),
    [
        ("en", ("comment", "comments"), "product name", "Shipped"),
        ("de", ("Kommentar", "Kommentare"), "Produktname", "Versandt"),
        ("fr", ("commentaire", "commentaires"), "nom du produit", "Expédiée"),
    ],
)
def test_names_fields_and_choices_are_in_the_readers_language(language, names, field, choice):
    with override(language):
        assert (str(Comment._meta.verbose_name), str(Comment._meta.verbose_name_plural)) == names
        assert str(Order._meta.get_field("product_name").verbose_name) == field
        assert Order(status=Status.SHIPPED).get_status_display() == choice
        assert str(Post.history.model._meta.get_field("title").name) == "title"


@pytest.mark.django_db
def test_no_migration_comes_of_it():
    with override("de"):
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


@pytest.mark.django_db
def test_a_domains_pages_are_in_the_readers_language():
    client = browser(account("reader", "editor", language="de"))
    Order.objects.create(product_name="lamp", quantity=1)
    listed = client.get(reverse("admin:orders_order_changelist")).content.decode()
    assert "Produktname" in listed
    assert "Bestellungen" in client.get(reverse("admin:index")).content.decode()
    form = client.get(reverse("admin:orders_order_add")).content.decode()
    assert "Wie viele Stück, mindestens 1." in form


def test_what_a_function_returns_as_choices_stays_a_function():
    assert [*(Target._meta.get_field("kind").choices or ())]
