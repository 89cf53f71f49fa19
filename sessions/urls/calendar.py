"""Addresses of the first page, calendars, groups and sessions."""

from django.urls import URLPattern, path

from sessions.views import bymail, calendar, feeds, firstpage

urlpatterns: list[URLPattern] = [
    path("", firstpage.home, name="home"),
    path("about/", firstpage.about, name="about"),
    path("calendar/", calendar.calendar, name="calendar"),
    path("calendar/agenda/", calendar.calendar_agenda, name="calendar_agenda"),
    path("calendar/<int:year>/", calendar.calendar_year, name="calendar_year"),
    path("calendar/<int:year>/<int:number>/", calendar.calendar_month, name="calendar_month"),
    path("calendar/<str:token>/balint.ics", feeds.feed, name="feed"),
    path("answer/<str:token>/", bymail.answer_by_mail, name="answer_by_mail"),
    path("groups/", calendar.groups, name="groups"),
    path("groups/<uuid:pk>/", calendar.group, name="group"),
    path("groups/<uuid:pk>/agenda/", calendar.calendar_agenda, name="group_agenda"),
    path("groups/<uuid:pk>/<int:year>/<int:number>/", calendar.calendar_month, name="group_month"),
    path("sessions/<uuid:pk>/", calendar.session, name="session"),
    path("sessions/<uuid:pk>/answer/", calendar.session_answer, name="session_answer"),
    path("sessions/<uuid:pk>/balint.ics", feeds.session_ics, name="session_ics"),
    path("settings/calendar/", feeds.settings_calendar, name="settings_calendar"),
]
