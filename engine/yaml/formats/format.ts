/** Determines formats by file name. */

/** `json` is JSON with or without comments and trailing commas; `dotenv` and `properties` are flat: a map of strings. */
export type Format = 'yaml' | 'json' | 'dotenv' | 'properties';

/** `known`: the name implies a format with fields. `other`: a format without fields. `open`: depends on the content. */
export type FileKind =
  | { readonly is: 'known'; readonly format: Format }
  | { readonly is: 'other'; readonly name: string }
  | { readonly is: 'open'; readonly name: string };

const known = (format: Format): FileKind => ({ is: 'known', format });

const KINDS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.ya?ml$/i, known('yaml')],
  [/\.jsonc?$/i, known('json')],
  [/\.properties$/i, known('properties')],
  [/\.env$|^\.env(?:\.[^.]+)*$/i, known('dotenv')],
];

/** Names of formats without fields, for messages. */
const OTHER_FORMATS: readonly (readonly [string, RegExp])[] = [
  ['a TOML file', /\.toml$/i],
  ['a Jsonnet file', /\.(?:jsonnet|libsonnet)$/i],
  ['a JSON5 file', /\.json5$/i],
  ['an HCL file', /\.(?:hcl|tf|tfvars|nomad)$/i],
  ['a CUE file', /\.cue$/i],
  ['a KCL file', /\.k$/i],
  ['a Pkl file', /\.pkl$/i],
  ['a Dhall file', /\.dhall$/i],
  ['a Nix file', /\.nix$/i],
  ['an XML file', /\.(?:xml|pom|xsd|svg|html?)$/i],
  ['an INI file', /\.(?:ini|cfg|editorconfig)$/i],
  ['a CSV file', /\.[ct]sv$/i],
  ['a Starlark file', /\.(?:bzl|star|bazel)$|^Tiltfile$/i],
  ['a Dockerfile', /^(?:Dockerfile|Containerfile)(?:\..+)?$|\.dockerfile$/i],
  ['a Makefile', /^(?:GNU)?makefile$|\.mk$/i],
  ['a Jenkinsfile', /^Jenkinsfile/i],
  ['a shell script', /\.(?:sh|bash|zsh|envrc|ps1|bat)$/i],
  ['source code', /\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kts?|groovy|gradle|lua|php|rego)$/i],
];

/** These may contain YAML. */
const MAYBE_YAML: readonly (readonly [string, RegExp])[] = [
  ['a template', /\.(?:tpl|tmpl|gotmpl|gtpl|j2|jinja2?|erb|mustache|hbs|ytt)$/i],
  ['a text', /\.(?:md|markdown|txt|adoc|rst|log)$|^(?:README|LICENSE|CODEOWNERS|NOTICE)$/i],
];

/** The kind of a file by its name: a path, or the last key of a selector such as `/data/app.properties`. */
export function fileKind(path: string): FileKind {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const format = KINDS.find(([pattern]) => pattern.test(name));
  if (format) return format[1];
  const other = OTHER_FORMATS.find(([, pattern]) => pattern.test(name));
  if (other) return { is: 'other', name: other[0] };
  const open = MAYBE_YAML.find(([, pattern]) => pattern.test(name));
  return { is: 'open', name: open?.[0] ?? 'a plain text' };
}

/** Whether the file is a map of strings, one per line (`.env`, `.properties`). */
export function isFlat(path: string): boolean {
  const kind = fileKind(path);
  return kind.is === 'known' && (kind.format === 'dotenv' || kind.format === 'properties');
}
