/** docs/configuration.md: every key of the configuration, out of its schema. */
import { stringify } from 'yaml';
import { exampleOf, type KeySchema } from './schema.ts';

const INTRODUCTION = `# Configuration

\`.backtrail/config.yaml\`, always read at the tip of the branch. \`backtrail init\` proposes one, \`backtrail doctor\` compares it with the
repository. A key that is not listed here is an error, and so is a value that can never take effect; each error names file, line and column. The
file has at most 64 KiB. This page is generated from the schema that reads the file (\`npm run docs:configuration\`).

The smallest configuration:

\`\`\`yaml
version: 1
layout: { environment: [ "environments/{environment}/**" ] }
\`\`\`

## In an editor

[configuration.schema.json](configuration.schema.json) is a JSON Schema of this page, and part of the package
(\`backtrail/configuration.schema.json\`). Editors with the YAML language server use it to complete and check keys: put a copy beside the
configuration, as \`.backtrail/configuration.schema.json\`, and begin the configuration with

\`\`\`yaml
# yaml-language-server: $schema=configuration.schema.json
\`\`\`

It checks names, types and bounds; what depends on the repository or on several keys is checked by Backtrail only.
`;

export function reference(schema: KeySchema): string {
  const sections = Object.entries(schema.properties ?? {}).map(([key, value]) =>
    section(key, value, schema.required?.includes(key) ?? false),
  );
  return [INTRODUCTION, ...sections].join('\n');
}

function section(key: string, schema: KeySchema, required: boolean): string {
  const rows = rowsOf({ path: key, schema, required });
  const example = stringify({ [key]: exampleOf(schema) }, { lineWidth: 0 });
  return `## ${key}

| key | type | default | meaning |
|---|---|---|---|
${rows.map((cells) => `| ${cells.map(escapeCell).join(' | ')} |`).join('\n')}

\`\`\`yaml
${example}\`\`\`
`;
}

interface Key {
  readonly path: string;
  readonly schema: KeySchema;
  readonly required: boolean;
}

/** A key and all below it, each with type, default and meaning. */
function rowsOf({ path, schema, required }: Key): string[][] {
  const standard = schema.default === undefined ? 'none' : code(JSON.stringify(schema.default));
  const own = [code(path), typeOf(schema), required ? 'required' : standard, schema.description ?? ''];
  const inner = schema.items ?? schema;
  const below = Object.entries(inner.properties ?? {}).flatMap(([key, value]) =>
    rowsOf({
      path: `${path}${schema.items ? '[]' : ''}.${key}`,
      schema: value,
      required: inner.required?.includes(key) ?? false,
    }),
  );
  return [own, ...below];
}

function typeOf(schema: KeySchema): string {
  const { type, items, anyOf, additionalProperties: values } = schema;
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (items !== undefined) return items.properties ? 'list of sections' : `list: ${typeOf(items)}`;
  if (schema.properties !== undefined) return 'section';
  if (type === undefined && anyOf !== undefined) return anyOf.map(typeOf).join(', or ');
  if (values) return `names with ${values.items ? 'a list each' : 'a text each'}`;
  if (type === 'boolean') return '`true`, `false`';
  if (type === 'integer') return `${schema.minimum} to ${schema.maximum}`;
  return 'text';
}

const code = (text: string) => `\`${text}\``;
const escapeCell = (text: string) => text.replaceAll('|', '\\|');
