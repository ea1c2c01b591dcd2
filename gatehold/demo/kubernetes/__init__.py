"""A Kubernetes-like API server: real kubectl and client libraries work against it.

It keeps objects in memory and answers as kube-apiserver does where a client or a gateway can tell: discovery, Table
and PartialObjectMetadata, chunked lists, watches and watch lists, every patch type with field managers, dry run,
strict field validation, protobuf request bodies, Status errors, followed logs. A few lines of controllers make
deployments roll out. It schedules nothing and runs no container.

::

    app          authenticates, records, routes, answers Status errors
    ├── reads, watches, tables, rendering, negotiation   what goes out
    ├── writes, deletes, scales, reviews, logs           what is asked for
    ├── decoding, structs, protobuf, schemas             bytes to objects of known types
    ├── patches, strategic, apply, managed_fields        changes to objects
    ├── defaults, validation                             what admission does
    ├── storage, controllers, seed                       the objects and what moves them
    └── resources, discovery, openapi                    what the server says it serves
"""
