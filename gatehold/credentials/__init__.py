"""Credentials out: how a target's credential is had, kept fresh, and put into a call.

The law of this package: an agent never holds a target's credential. A credential is bound to the target's own (scheme,
host, port) and goes nowhere else; it is a ``Secret`` from the moment it is read, and no error, log line or repr holds a
part of it. A credential that cannot be had refuses the call (503); a call is never sent without it. Nothing here blocks
the event loop for longer than reading a small local file.

::

    injection      what is put into a call, and where it may go          pure
    echoes         the spellings in which it may come back               pure
    parameters     query parameters put into a raw path                  pure
    rendering      fields and templates as one of the forms
    sigv4          AWS signatures
    certificates   client certificates as files that TLS can load
    impersonation  the agent as a Kubernetes user                        pure

    fields         what a source gives, and for whom
    outbound       small exchanges of JSON with those who are asked
    processes      commands that print credentials
    assertions     JWTs by which the gateway says who it is
    moments        times as they are written                             pure
    vault, commands, oauth, exchanging, github_app                       the sources
    vault_login    the sign-in at a Vault
    field_sources  which one a configuration names

    kubeconfig     the user of a kubeconfig context                      pure but for reading files
    plugins        exec credential plugins
    minting        TokenRequest
    kubernetes     all of that as the credential of one target

    sources        what a source of a whole credential is; files that are followed
    sourced        a source's fields in a target's form
    recipes        how a target's credential is made
    holding        one credential, kept fresh
    crowds         one for each agent of a target
    broker         all of them
    agent_echoes   what no answer to one agent may show
"""
