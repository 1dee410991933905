import { type FileChange, quotePath, type TreeView } from '../../../model/index.ts';
import { overlayView } from '../../../snapshot/view.ts';
import type { CheckInput, RawFinding } from '../../check-input.ts';
import { isFields, textAt, valueAt } from '../../documents/documents.ts';
import { type Manifest, manifestChanges, nameOf } from '../../documents/manifests.ts';
import { localPaths, type Reference, referencesIn } from '../../documents/references.ts';
import { searchPlanned } from '../../documents/search.ts';

/** Findings of one plan. */
const MOST = 20;

/** DANGLING_REFERENCE: something that the restored state names, and the present state does not name or has, would not be there. */
export async function checkDangling(input: CheckInput): Promise<RawFinding[]> {
  const findings: RawFinding[] = [];
  const view = overlayView(
    await input.snapshot.view(input.snapshot.base),
    input.snapshot.reader,
    input.plan.files,
  );
  for (const file of input.plan.files) {
    if (findings.length >= MOST) break;
    findings.push(...(await missingPaths(input, view, file)), ...(await missingObjects(input, file)));
  }
  if (findings.length < MOST) findings.push(...(await lostObjects(input)), ...(await lostPaths(input, view)));
  return findings.slice(0, MOST);
}

const finding = (message: string, path: string, hint?: string): RawFinding => ({
  code: 'DANGLING_REFERENCE',
  message,
  path,
  ...(hint !== undefined && { hint }),
});

const isKustomization = (path: string) => /(?:^|\/)kustomization\.ya?ml$|(?:^|\/)Kustomization$/.test(path);
const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** Bases, components, resources and patches of a kustomization. */
async function missingPaths(
  { documents, snapshot }: CheckInput,
  view: TreeView,
  file: FileChange,
): Promise<RawFinding[]> {
  const { path, before, after } = file;
  if (after === null || !isKustomization(path)) return [];
  const named = new Set(
    (await documents.read(path, before))?.flatMap((value) => localPaths(folderOf(path), value)),
  );
  const findings: RawFinding[] = [];
  for (const value of (await documents.read(path, after)) ?? [])
    for (const to of localPaths(folderOf(path), value)) {
      if ((await view.entry(to)) !== null) continue;
      const now = named.has(to) ? await (await snapshot.view(snapshot.base)).entry(to) : 'new';
      // It is missing now as well.
      if (now === null) continue;
      findings.push(
        finding(`${quotePath(path)} names ${quotePath(to)}, which would not be in the tree.`, path),
      );
    }
  return findings;
}

/** A file that goes away, and that a kustomization beside it goes on to name. */
async function lostPaths({ plan, documents }: CheckInput, view: TreeView): Promise<RawFinding[]> {
  const changed = new Set(plan.files.map(({ path }) => path));
  const gone = plan.files
    .filter(({ after, path }) => after === null && !isKustomization(path))
    .map(({ path }) => path);
  const findings: RawFinding[] = [];
  for (const folder of new Set(gone.map(folderOf))) {
    const path = folder === '' ? 'kustomization.yaml' : `${folder}/kustomization.yaml`;
    const entry = changed.has(path) ? null : await view.entry(path);
    const named = new Set((await documents.read(path, entry))?.flatMap((value) => localPaths(folder, value)));
    for (const lost of gone.filter((each) => named.has(each)))
      findings.push(finding(`${quotePath(path)} names ${quotePath(lost)}, which would go away.`, path));
  }
  return findings;
}

/** Secrets and ConfigMaps that the restored file names and the present one does not. */
async function missingObjects(input: CheckInput, { path, before, after }: FileChange): Promise<RawFinding[]> {
  const { documents } = input;
  const [old, text] = [await documents.text(before), await documents.text(after)];
  if (text === null || !MAY_NAME.test(text) || old === text) return [];
  const known = new Set((await documents.read(path, before))?.flatMap(referencesIn).map(keyOf));
  const wanted = new Map(
    (await documents.read(path, after))?.flatMap(referencesIn).map((each) => [keyOf(each), each]),
  );
  const findings: RawFinding[] = [];
  for (const [key, reference] of wanted) {
    if (known.has(key) || (await searchPlanned(input, wantedBy(reference))) !== 'missing') continue;
    const { kind, name } = reference;
    findings.push(
      finding(`${quotePath(path)} names ${kind} ${quotePath(name)}, which is not in the tree.`, path),
    );
  }
  return findings;
}

const MAY_NAME =
  /secretKeyRef|configMapKeyRef|secretRef|configMapRef|secretName|configMap|imagePullSecrets|envFrom|projected/;

const keyOf = ({ kind, name }: Reference) => JSON.stringify([kind, name]);

const MAKES: Readonly<Record<string, readonly string[]>> = {
  Secret: [
    'Secret',
    'SealedSecret',
    'ExternalSecret',
    'Certificate',
    'SopsSecret',
    'VaultStaticSecret',
    'VaultDynamicSecret',
  ],
  ConfigMap: ['ConfigMap'],
};

const wantedBy = ({ kind, name }: Reference) => ({
  words: [name],
  matches: (manifest: Manifest) => makes(manifest, kind, name),
  also: (value: unknown) => generates(value, kind, name),
});

function makes({ kind: own, name: named, value }: Manifest, kind: string, name: string): boolean {
  if (!(MAKES[kind] ?? []).includes(own)) return false;
  const target =
    textAt(value, 'spec', 'target', 'name') ??
    textAt(value, 'spec', 'secretName') ??
    textAt(value, 'spec', 'destination', 'name');
  return (target ?? named) === name;
}

/** A generator of a kustomization. */
function generates(value: unknown, kind: string, name: string): boolean {
  const generators = valueAt(value, kind === 'Secret' ? 'secretGenerator' : 'configMapGenerator');
  return Array.isArray(generators) && generators.some((each) => isFields(each) && each['name'] === name);
}

/** A Secret or ConfigMap that goes away, and that something goes on to name. */
async function lostObjects(input: CheckInput): Promise<RawFinding[]> {
  if (input.outputs.length > 0 || input.plan.scope.mode === 'field') return [];
  const { before, after } = await manifestChanges(input);
  const findings: RawFinding[] = [];
  for (const [identity, manifest] of before) {
    const { kind, name } = manifest;
    if (after.has(identity) || (kind !== 'Secret' && kind !== 'ConfigMap')) continue;
    const names = (value: unknown) =>
      isFields(value) && referencesIn(value).some((each) => each.kind === kind && each.name === name);
    const search = { words: [name], matches: ({ value }: Manifest) => names(value), also: names };
    if ((await searchPlanned(input, search)) !== 'found') continue;
    if ((await searchPlanned(input, wantedBy({ kind, name }))) !== 'missing') continue;
    findings.push(
      finding(
        `${quotePath(nameOf(manifest))} would go away, and something goes on to name it.`,
        manifest.path,
      ),
    );
  }
  return findings;
}
