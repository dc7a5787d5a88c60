"""A project with Django REST framework, django-simple-history and django-import-export, as their guides show them."""
