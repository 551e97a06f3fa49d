"""Who of the staff is signed in: sessions, the links and the provider that begin one.

There are no passwords of staff here. A session is a row; what lets in at every service is a pass
of five minutes, which only an open session renews (`shared/web/passes.py`).
"""
