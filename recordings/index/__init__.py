"""An index of the journal: a file of SQLite that says where lines about something stand.

It is derived. Whatever it finds is read from the journal, so that a wrong index may miss something but cannot say
anything; and it can be thrown away and made again at any time. Whether the journal is whole is not its business.
"""
