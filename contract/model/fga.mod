# The shared model, in modules. `core.fga` is the part that the rule names; the siblings are worked
# examples: copy one, or leave them out.
schema: '1.2'
contents:
  - core.fga
  - vault.fga
  - tasks.fga
