"""Streams that say “changed, version n” to the screens of a room, and nothing else.

`publishing` hears in a transaction what it moved and sends it to Redis once it is committed; each
web process has one subscription (`subscription`) and one `Hub`, which wakes the streams concerned;
`watching` asks the database every few seconds what a lost message would have said, and who may
still listen. `streams` is the ASGI application: it lets nobody in but by the page `live` itself.
"""
