"""Which view answers which path."""

from django.urls import path

from gallery import views

urlpatterns = [
    path("", views.page),
    path("upload", views.upload),
    path("echo", views.echo),
    path("echo/<path:rest>", views.echo),
    path("events", views.events),
    path("slow", views.slow),
    path("big", views.big),
    path("download/<path:name>", views.download),
    path("instance", views.instance),
]
