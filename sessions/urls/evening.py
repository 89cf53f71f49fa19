"""Addresses of the evening: round it, in its room, and the cases told."""

from django.urls import URLPattern, path

from sessions.views import cases, evening, observers, reflections, room, tonight, words

SESSION = "sessions/<uuid:pk>/"
ROOM = f"{SESSION}room/"

urlpatterns: list[URLPattern] = [
    path(f"{SESSION}before/", evening.before_door, name="before"),
    path(f"{SESSION}tonight/", tonight.tonight, name="tonight"),
    path(f"{SESSION}standing-in/", tonight.standing_in, name="standing_in"),
    path(f"{SESSION}observers/", observers.observers_page, name="observers"),
    path(f"{SESSION}card/", evening.card_page, name="card"),
    path(f"{SESSION}afterwards/", evening.afterwards_page, name="afterwards"),
    path(f"{SESSION}word/", words.leaders_note, name="leaders_note"),
    path(f"{SESSION}reflection/", reflections.reflection, name="reflection"),
    path(ROOM, room.room, name="room"),
    path(f"{ROOM}now/", room.room_now, name="room_now"),
    path(f"{ROOM}clock/", room.room_clock, name="room_clock"),
    path(f"{ROOM}open/", room.room_open, name="room_open"),
    path(f"{ROOM}step/", room.room_step, name="room_step"),
    path(f"{ROOM}undo/", room.room_undo, name="room_undo"),
    path(f"{ROOM}presenter/", room.room_presenter, name="room_presenter"),
    path(f"{ROOM}out/", room.room_out, name="room_out"),
    path(f"{ROOM}in/", room.room_in, name="room_in"),
    path(f"{ROOM}show-out/", room.room_show_out, name="room_show_out"),
    path(f"{ROOM}stays/", room.room_stays, name="room_stays"),
    path(f"{ROOM}leave/", room.room_leave, name="room_leave"),
    path(f"{ROOM}forget/", room.room_forget, name="room_forget"),
    path(f"{ROOM}<path:rest>", room.room_nothing, name="room_nothing"),
    path("live/<uuid:pk>", room.live, name="live"),
    path("cases/<uuid:pk>/", cases.case, name="case"),
    path("cases/<uuid:pk>/title/", cases.case_title, name="case_title"),
    path("cases/<uuid:pk>/forget/", cases.case_forget, name="case_forget"),
]
