import { parseAllDocuments } from 'yaml';
import { type Rendered, renderServices, type ServiceUnit } from '../../../engine/render/index.ts';
import { BacktrailError } from '../../../engine/model/index.ts';
import { filesView, hasher } from '../../../scripts/fixtures/files.ts';

export const FOLDER = 'tenants/acme/production/services/api';
const ENVIRONMENT = 'tenants/acme/production';

export const unitOf = (
  files: Readonly<Record<string, string>>,
  change: Partial<ServiceUnit> = {},
): ServiceUnit => ({
  tenant: 'acme',
  environment: 'production',
  service: 'api',
  directory: FOLDER,
  environmentDirectory: ENVIRONMENT,
  variableFiles: [`${ENVIRONMENT}/variables.yaml`, `${FOLDER}/variables.yaml`].filter(
    (path) => path in files,
  ),
  output: 'delivery/acme/production/api.yaml',
  ...change,
});

/** Paths are relative to the service's folder; `variables.yaml` of the environment is `../../variables.yaml`. */
export function inFolder(files: Readonly<Record<string, string>>): Record<string, string> {
  const absolute = (path: string) =>
    path.startsWith('../../') ? `${ENVIRONMENT}/${path.slice(6)}` : `${FOLDER}/${path}`;
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [absolute(path), text]));
}

export async function render(
  files: Readonly<Record<string, string>>,
  change: Partial<ServiceUnit> = {},
): Promise<Rendered | null> {
  const all = inFolder(files);
  const unit = unitOf(all, change);
  const outputs = await renderServices(filesView(new Map(Object.entries(all))), [unit], { hasher });
  return outputs.get(unit.output) ?? null;
}

export async function contentOf(
  files: Readonly<Record<string, string>>,
  change: Partial<ServiceUnit> = {},
): Promise<string> {
  return (await render(files, change))?.content ?? '';
}

/** The documents of an output, as readers of either YAML version see them. */
export const documentsOf = (content: string, version: '1.1' | '1.2' = '1.2'): unknown[] =>
  parseAllDocuments(content, { version, strict: true }).map((document) => {
    if (document.errors[0]) throw document.errors[0];
    return document.toJS() as unknown;
  });

/** The failure of a rendering that must not succeed. */
export async function failureOf(
  files: Readonly<Record<string, string>>,
  change: Partial<ServiceUnit> = {},
): Promise<BacktrailError> {
  try {
    await render(files, change);
  } catch (error) {
    if (error instanceof BacktrailError) return error;
    throw error;
  }
  throw new Error('It was rendered.');
}
