/** What plans are told besides: what registries and the remote answer, and where it would be published. */
import {
  type CheckCode,
  type FailureCode,
  type Finding,
  type ImageRegistries,
  type RepositoryReader,
  isFailure,
} from '../../model/index.ts';
import type { GitRepository } from '../../git/open.ts';
import { checkObserved } from '../../plan/checks/registry.ts';
import type { CheckInput, Observations, ObservedImage } from '../../plan/check-input.ts';
import { imagesBroughtBack } from '../../plan/documents/images.ts';
import type { Planned } from './planned.ts';

/** With the findings of what was observed. */
export function withObserved(
  planned: Planned,
  observed: Observations,
  overrides: readonly CheckCode[],
): Planned {
  const { checks } = planned.snapshot.layout.config;
  return { ...planned, plan: checkObserved(planned.plan, observed, { checks, overrides }) };
}

/** Asks by a dry run whether this identity may push. Where the remote cannot be asked, publishing says what is wrong. */
export async function withPushTest(git: GitRepository, planned: Planned, here: boolean): Promise<Planned> {
  const { checks } = planned.snapshot.layout.config;
  if (checks.severity.PUSH_DENIED === 'off' || planned.plan.files.length === 0) return planned;
  const refused = await git.tryPush(planned.plan.base).then(
    () => null,
    (error: unknown) => {
      if (isFailure(error)) return DENIALS.has(error.code) ? error : null;
      throw error;
    },
  );
  // A branch that takes no push is no matter of logins.
  const hint = refused?.details['protected'] === true ? { hint: refused.hint } : {};
  return withObserved(planned, { push: { here, denied: refused?.message ?? null, ...hint } }, []);
}

const DENIALS: ReadonlySet<FailureCode> = new Set(['REMOTE_DENIED', 'REMOTE_REJECTED']);

/** Asks for all of them side by side. */
export async function observeImages(
  input: CheckInput,
  registries: ImageRegistries,
): Promise<ObservedImage[]> {
  const { severity } = input.snapshot.layout.config.checks;
  if (
    (['IMAGE_MISSING', 'IMAGE_MUTABLE', 'IMAGE_UNCHECKED'] as const).every((code) => severity[code] === 'off')
  )
    return [];
  const found = await imagesBroughtBack(input);
  if (found.length === 0) return [];
  const answers = await registries.ask(found.map(({ image }) => image));
  return found.map(({ image, path }) => ({
    image,
    path,
    isMutable: !image.includes('@'),
    answer: answers.get(image) ?? { state: 'unchecked' },
  }));
}

/** Adds findings about where it would be published. For confirmation only: execution checks again. */
export async function withPreview(git: GitRepository, planned: Planned): Promise<Planned> {
  const { plan, delivery } = planned;
  const paths = [...plan.files, ...delivery.outputs].map(({ path }) => path);
  const { branch, base } = plan;
  const findings = [...(await elsewhere(git, branch)), ...(await git.preview({ branch, base, paths }))];
  const destination = await git.destination(branch);
  return { ...planned, destination, plan: { ...plan, findings: [...plan.findings, ...findings] } };
}

export function withFindings(planned: Planned, findings: readonly Finding[]): Planned {
  return { ...planned, plan: { ...planned.plan, findings: [...planned.plan.findings, ...findings] } };
}

/** Adds the repository's notice, such as that the data is not up to date. */
export function withNotice(planned: Planned, notice: Finding | null): Planned {
  if (notice === null) return planned;
  return withFindings(planned, [notice]);
}

/** A user on another branch may expect that one to be rolled back. */
async function elsewhere(git: RepositoryReader, branch: string): Promise<Finding[]> {
  const head = await git.checkedOut();
  if (head === null || head === branch) return [];
  return [
    {
      code: 'BRANCH_DIFFERS',
      severity: 'info',
      message: `${head} is checked out here; this is about ${branch}, as \`branch\` of the configuration says.`,
    },
  ];
}
