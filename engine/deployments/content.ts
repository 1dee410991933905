/** What a revision deploys: its images and charts, and whether it may be recorded at all. */
import { type Identity, identityReader } from '../history/identity.ts';
import { IMAGE_LIMIT, MOST_IMAGES } from '../record/deployment-file.ts';
import type { ObjectId, Scope } from '../model/index.ts';
import { selectionsFor } from '../plan/plan.ts';
import { type RawSecret, rawSecretIn, type SecretScans } from '../snapshot/secrets/raw-secrets.ts';
import { readContent } from '../snapshot/scope-content.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';

export interface DeployedContent extends Pick<Identity, 'images' | 'charts'> {
  readonly secret: RawSecret | null;
}

export async function deployedContent(
  snapshot: Snapshot,
  scope: Scope,
  commit: ObjectId,
  scans: SecretScans,
): Promise<DeployedContent> {
  const selections = selectionsFor(snapshot.layout, scope);
  const content = await readContent({ snapshot, scope, selections }, commit);
  const { images, charts } = await identityReader(snapshot)(content);
  const secret = await rawSecretIn(snapshot, content, scans);
  return { images: listed(images), charts: listed(charts), secret };
}

/** At most what a record holds. */
export function listed(names: readonly string[]): readonly string[] {
  return [...new Set(names)].filter((name) => name.length <= IMAGE_LIMIT).slice(0, MOST_IMAGES);
}
