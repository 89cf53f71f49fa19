"""Who is asking, and row-level security of the numbers to ring."""

from django.db import migrations

from members.row_security import OWN, open_table, secure

ME = """
create function public.balint_me() returns uuid
  language sql stable set search_path = pg_catalog, pg_temp
as $$ select nullif(current_setting('app.member_id', true), '')::uuid $$;
"""


class Migration(migrations.Migration):
    dependencies = [("members", "0001_initial")]
    operations = [
        migrations.RunSQL(ME, "drop function public.balint_me();"),
        migrations.RunSQL(
            secure("members_phone", select=OWN, insert=OWN, update=OWN, delete=OWN),
            open_table("members_phone"),
        ),
    ]
