"""Credentials out: how a target's credential is had, kept fresh, and put into a call.

The law of this package: an agent never holds a target's credential. A credential is bound to the target's own (scheme,
host, port) and goes nowhere else; it is a ``Secret`` from the moment it is read, and no error, log line or repr holds a
part of it. A credential that cannot be had refuses the call (503); a call is never sent without it. Nothing here blocks
the event loop for longer than reading a small local file.

::

    injection      what is put into a call, and where it may go    pure
    echoes         the spellings in which it may come back         pure
    sources        env and file templates, token files
    kubeconfig     the user of a kubeconfig context                pure but for reading files
    plugins        exec credential plugins
    certificates   client certificates as files that TLS can load
    minting        TokenRequest
    kubernetes     all of that as the credential of one target
    broker         one current credential per target
"""
