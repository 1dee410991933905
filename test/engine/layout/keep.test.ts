import { describe, expect, it } from 'vitest';
import { DEFAULT_KEEP } from '../../../engine/layout/configuration/parse.ts';
import { compileKeep, mayBeYaml } from '../../../engine/layout/keep.ts';
import { formatSelector } from '../../../engine/yaml/core/selector.ts';

const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\nstringData:\n  password: x\n';
const CONFIG = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: db\ndata:\n  secretName: Secret\n';
const usual = compileKeep(DEFAULT_KEEP);
const parts = (keep: ReturnType<typeof compileKeep>, path: string, ...texts: string[]) =>
  keep.parts(path, texts).map(({ selector, by }) => [formatSelector(selector), by]);

describe('what is kept', () => {
  it('keeps paths by pattern, hidden ones too', () => {
    const keep = compileKeep(['**/secrets/**', '**/*.enc.yaml']);
    expect(keep.path('a/secrets/x/y')).toBe('**/secrets/**');
    expect(keep.path('secrets/.hidden')).toBe('**/secrets/**');
    expect(keep.path('a/.b/c.enc.yaml')).toBe('**/*.enc.yaml');
    expect(keep.path('a/secretsx/y')).toBeNull();
    expect(keep.path('a/secrets.yaml')).toBeNull();
    expect(keep.looksInside).toBe(false);
  });

  it('keeps Secret and SealedSecret manifests and SOPS files by default', () => {
    expect(usual.content('a.yaml', SECRET)).toBe('kind:Secret');
    expect(usual.content('a.yaml', SECRET.replace('Secret', 'SealedSecret'))).toBe('kind:SealedSecret');
    expect(usual.content('a.yaml', CONFIG)).toBeNull();
    expect(usual.content('a.yaml', 'kind: ConfigMap\nspec: { kind: Secret }\n')).toBeNull();
    expect(usual.content('a.json', '{"kind":"Secret"}')).toBe('kind:Secret');
    expect(usual.content('noending', SECRET)).toBe('kind:Secret');
    expect(usual.content('a.txt', SECRET)).toBe('kind:Secret');
    expect(usual.content('a.txt', CONFIG)).toBeNull();
  });

  it.each([
    ['quoted', "kind: 'Secret'\n"],
    ['escaped', 'kind: "\\x53ecret"\n'],
    ['folded', 'kind: "Sec\\\n  ret"\n'],
    ['a quoted key', '"kind": Secret\n'],
    ['an escaped key', '"\\x6bind": "Secret"\n'],
    ['an alias', 'x: &k Secret\nkind: *k\n'],
    ['a block scalar', 'kind: |-\n  Secret\n'],
    ['a comment', 'kind: Secret # rotated\n'],
    [
      'a template that does not parse',
      'kind: Secret\nmetadata:\n  name: {{ .Release }}-x\ndata: {{ toYaml . }}\n{{- end }}\n',
    ],
    ['a List', `${CONFIG}---\nkind: List\nitems:\n- kind: ConfigMap\n- kind: Secret\n  data: {}\n`],
    ['a SecretList', 'kind: SecretList\nitems:\n- data: { a: eA== }\n'],
    ['an array', '[{"kind":"ConfigMap"},{"kind":"Secret"}]'],
    ['JSON that does not parse', '{"kind":"Secret","data":{{ toJson . }}'],
    ['an indented template', '{{- range . }}\n- kind: Secret\n  {{- end }}\n'],
    ['a template with quotes', '{{- if x }}\n"kind": "Secret"\n{{- end }}\n'],
    ['a template in braces', '{{- if .Values.x }}\nkind: Secret\n{{- end }}\n'],
  ])('sees a Secret however it is written: %s', (_, text) => {
    expect(usual.content('a.yaml', text)).toBe('kind:Secret');
  });

  it.each(['a.yaml.tpl', 'a.yml.bak', 'a.yaml.gotmpl', 'a.json.j2'])('sees a Secret in %s', (path) => {
    expect(usual.content(path, `{{ x }}\n${SECRET}`)).toBe('kind:Secret');
    expect(usual.content(path, `${CONFIG}---\n${SECRET}`)).toBe('kind:Secret');
    expect(usual.content(path, CONFIG)).toBeNull();
    expect(usual.content(path, 'kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n')).toBeNull();
  });

  it.each([
    ['a script', 'setup.sh', `#!/bin/sh\nkubectl apply -f - <<EOF\n${SECRET}EOF\necho done\n`],
    ['a page', 'README.md', '# How to\n\nkind: Secret\n\nand so on\n'],
    ['a line of a page', 'notes.md', 'kind: Secret\n'],
    ['Terraform', 'a.tf', 'manifest = { kind = "Secret" }\n'],
    ['a text without an ending', 'README', 'How to\n\nkind: Secret\n\nand so on\n'],
    ['a block scalar', 'a.yaml', `kind: ConfigMap\ndata:\n  a: |\n    kind: Secret\n`],
  ])('takes no mention of a Secret for one: %s', (_, path, text) => {
    expect(usual.content(path, text)).toBeNull();
    expect(parts(usual, path, text)).toEqual([]);
  });

  it('keeps what any text says by the rules before', () => {
    expect(compileKeep(DEFAULT_KEEP, 1).content('setup.sh', `cat <<EOF\n${SECRET}EOF\n`)).toBe('kind:Secret');
  });

  it('keeps parts of flat files and within strings, and none of them by the rules before', () => {
    const rules = ['**/.env#/TOKEN', '**/a.yaml#/values|/x'];
    const of = (version: 2 | 3, path: string, text: string) =>
      compileKeep(rules, version)
        .parts(path, [text])
        .map(({ by }) => by);
    expect([of(3, 'x/.env', 'TOKEN=1\n'), of(2, 'x/.env', 'TOKEN=1\n')]).toEqual([[rules[0]], []]);
    const text = 'values: |\n  x: 1\n';
    expect([of(3, 'a.yaml', text), of(2, 'a.yaml', text)]).toEqual([[rules[1]], []]);
  });

  it('keeps items of a List one by one, and all of a list whose items are not known by name', () => {
    const item = (kind: string, name: string) => `- kind: ${kind}\n  metadata: { name: ${name} }\n`;
    const list = `kind: List\nitems:\n${item('ConfigMap', 'a')}${item('Secret', 'b')}`;
    expect(usual.content('a.yaml', list)).toBeNull();
    expect(parts(usual, 'a.yaml', list)).toEqual([
      ['[kind=List]/items[kind=Secret,metadata.name=b]', 'kind:Secret'],
    ]);
    expect(usual.content('a.yaml', `kind: List\nitems:\n${item('Secret', 'b')}`)).toBe('kind:Secret');
    expect(usual.content('a.yaml', `${list}- kind: Secret\n  data: {}\n`)).toBe('kind:Secret');
    expect(usual.content('a.txt', `apiVersion: v1\n${list}`)).toBe('kind:Secret');
    expect(compileKeep(DEFAULT_KEEP, 1).content('a.yaml', list)).toBe('kind:Secret');
  });

  it.each([
    ['YAML', 'password: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n', 'a.yaml'],
    ['dotenv', 'PASSWORD=ENC[AES256_GCM,data:x]\nsops_mac=ENC[AES256_GCM,data:y]\n', 'a.env'],
    ['JSON', '{"data":"ENC[AES256_GCM,data:x]","sops":{"mac":"ENC[AES256_GCM,data:y]"}}', 'a.bin'],
    ['metadata only', 'a: 1\nsops:\n  age: []\n  lastmodified: "2026"\n', 'a.yaml'],
  ])('sees a SOPS file: %s', (_, text, path) => {
    expect(usual.content(path, text)).toBe('format:sops');
  });

  it('keeps the Secret among several documents as a part, by its identity', () => {
    const text = `${CONFIG}---\n${SECRET}`;
    expect(usual.content('a.yaml', text)).toBeNull();
    expect(parts(usual, 'a.yaml', text)).toEqual([['[kind=Secret,metadata.name=db]', 'kind:Secret']]);
    expect(parts(usual, 'a.yaml', CONFIG, text)).toEqual([['[kind=Secret,metadata.name=db]', 'kind:Secret']]);
    expect(usual.content('a.yaml', `${SECRET}---\n${SECRET}`)).toBe('kind:Secret');
  });

  it('keeps selected parts of the files that a pattern names', () => {
    const keep = compileKeep(['**/environment.yaml#/metadata', 'c/*.yaml#/list[name=a#b]/x']);
    expect(parts(keep, 'e/environment.yaml', 'x: 1')).toEqual([
      ['/metadata', '**/environment.yaml#/metadata'],
    ]);
    expect(parts(keep, 'c/a.yaml', '')).toEqual([['/list[name=a#b]/x', 'c/*.yaml#/list[name=a#b]/x']]);
    expect(keep.path('e/environment.yaml')).toBeNull();
  });

  it('takes names without an ending for YAML, and others by theirs', () => {
    for (const path of ['a', 'a/b.yaml', 'a.d/b', 'b.YML', 'b.json', '.hidden'])
      expect(mayBeYaml(path)).toBe(true);
    for (const path of ['a.txt', 'a/b.tf', 'a/.b.env', 'b.yaml.tpl']) expect(mayBeYaml(path)).toBe(false);
  });
});
