"""A Kubernetes-like API server: real kubectl and client libraries work against it.

It keeps objects in memory and answers as kube-apiserver does where a client or a gateway can tell: discovery, Table
and PartialObjectMetadata, chunked lists, watches and watch lists, every patch type with field managers, dry run,
strict field validation, optimistic concurrency, mutating webhooks, impersonation, protobuf request bodies, Status
errors, followed logs, a defined resource and an aggregated API. A few lines of controllers make
deployments roll out. It schedules nothing and runs no container: exec talks to a shell of a few made-up commands.

::

    app          authenticates, records, routes, answers Status errors
    ├── identities, audit                                who asks for what
    ├── reads, listing, watches, tables, rendering, negotiation   what goes out
    ├── writes, patching, deletes, scales, reviews       what is asked for
    ├── logs, remote, shells, forwarding, proxies        streams of pods, and what is behind them
    ├── decoding, structs, protobuf, schemas             bytes to objects of known types
    ├── patches, strategic, apply, managed_fields        changes of objects
    ├── defaults, admission, validation                  what admission does
    ├── storage, seed, population, controllers, workloads, states    the objects and what moves them
    └── resources, discovery, openapi                    what the server says it serves
"""
