/** What can be wrong with a rollback or a ledger: one table. The codes are an interface. */
import { cleanValue } from '../record/trailers.ts';

/** `unverifiable`: Git cannot say, for a reason that a problem names. */
export type Verdict = 'honest' | 'tampered' | 'unverifiable';

export interface Problem {
  readonly code: ProblemCode;
  /** One sentence: what was found, and what was expected. */
  readonly message: string;
}

const tampered = (means: string) => ({ verdict: 'tampered', means }) as const;
const unverifiable = (means: string) => ({ verdict: 'unverifiable', means }) as const;

export const PROBLEMS = {
  PARENTS: tampered('The commit has no parent, or several.'),
  BASE_DIFFERS: tampered('`Rollback-Base` is not the commit before it: it was picked, rebased or changed.'),
  TARGET_NOT_ON_LINE: tampered('The target is no commit of the branch before it.'),
  CONFIG_MISSING: tampered('There was no configuration when it was made.'),
  SCOPE_UNKNOWN: tampered('The configuration then in force knows no such scope, or no such field in it.'),
  TRAILER_MISSING: tampered('A trailer is missing.'),
  TRAILER_REPEATED: tampered('A trailer is there twice.'),
  TRAILER_INVALID: tampered('A trailer does not hold what it must.'),
  TRAILER_DIFFERS: tampered('A trailer says something else than what was recomputed, or the ledger has.'),
  TRAILER_ADDED: tampered('A trailer is there that Backtrail would not have written.'),
  SUBJECT_DIFFERS: tampered('The subject is another one than the configuration then in force makes.'),
  BODY_DIFFERS: tampered('The text between subject and trailers is not the reason.'),
  PATH_ADDED: tampered('A path changes that the rollback does not change.'),
  PATH_MISSING: tampered('A path does not change that the rollback changes.'),
  CONTENT_DIFFERS: tampered('A path holds something else than was recomputed.'),
  MODE_DIFFERS: tampered('A path has another mode than was recomputed: executable, a link.'),
  TREE_MALFORMED: tampered(
    'A folder is not as git writes it: a name twice or with a slash, another order, other modes, nothing in it, or too deep.',
  ),
  PLAN_BLOCKED: tampered('Backtrail would have refused the rollback.'),
  NOTHING_RESTORED: tampered('The scope was at its target already.'),
  DIGEST_DIFFERS: tampered('The plan has another digest than the commit says.'),
  HOLD_DIFFERS: tampered('The file of its hold is not as Backtrail writes it.'),
  AUTHOR_DIFFERS: tampered("Git's author is not the author of the request."),
  COMMITTER_DIFFERS: tampered('The manifests were committed by another than the rollback.'),
  DATE_DIFFERS: tampered('The commit is dated otherwise than the event that allowed it, or than itself.'),
  HEADER_ADDED: tampered('The header of the commit has a line that Backtrail does not write.'),
  REQUEST_REPEATED: tampered('An earlier commit of the line has the same request.'),
  DELIVERY_DIFFERS: tampered('The commit of the manifests is not as Backtrail writes it.'),
  DELIVERY_MISSING: tampered('The manifests that belong to it are not there.'),
  DELIVERY_ORPHAN: tampered('Manifests follow no rollback, or another one than they name.'),
  OUTPUT_UNEXPECTED: tampered('The commit of the manifests changes what is none of them.'),
  LEDGER_MISSING: tampered(
    'The ledger, or the event in it that the commit names or the policy demands, is missing.',
  ),
  LEDGER_TAMPERED: tampered('The ledger has a past that was changed.'),
  LEDGER_DIFFERS: tampered('The ledger has another request under this id.'),
  APPROVAL_MISSING: tampered('The votes in the ledger do not meet the policy then in force.'),
  PLACE_DIFFERS: tampered(
    'The request, a vote or a session is for another place than the one that the configuration then in force names.',
  ),
  IDENTITY_UNVERIFIED: tampered('No trusted key vouches for an event that needs one.'),
  AUTHENTICATION_DIFFERS: tampered(
    "A server's key signed for a person, and the event does not say how the server knew them, or names a token of somebody else.",
  ),
  PERMISSION_DENIED: tampered('Somebody acted who had no permission.'),
  COMMIT_MISSING: tampered('The ledger says that it was published, and the branch does not hold the commit.'),
  COMMIT_DIFFERS: tampered('The ledger names another commit for this request.'),
  LEDGER_REWOUND: tampered('The ledger does not follow what was seen of it before.'),
  EVENT_MALFORMED: tampered('A commit of the ledger is no event as Backtrail writes it.'),
  EVENT_DIFFERS: tampered('A commit of the ledger says something else than the event that it holds.'),
  STATE_DIFFERS: tampered('A file of the ledger shows another state than its events make.'),
  SIGNATURE_BAD: tampered('A signature does not fit what it signs.'),
  SIGNATURE_MISSING: tampered(
    'The configuration then in force asks for signed commits, and no key that is trusted for its committer signed it.',
  ),
  SHALLOW: unverifiable('The clone is cut off: what is needed was never fetched.'),
  OBJECT_MISSING: unverifiable('An object is not in the repository.'),
  ENGINE_NEWER: unverifiable('A newer version of Backtrail made it, by rules that this one does not have.'),
  LEDGER_NEWER: unverifiable(
    'A newer version of Backtrail wrote the ledger, in a form that this one cannot read.',
  ),
  CONFIG_UNREADABLE: unverifiable('This version cannot read the configuration then in force.'),
  KEYS_MISSING: unverifiable('There is no list of trusted keys here to judge signatures by.'),
  RENDERER_MISSING: unverifiable('The renderer, or that version of it, is not here.'),
  TOO_LARGE: unverifiable('Something is over the limits of the reader.'),
} as const satisfies Readonly<Record<string, { verdict: Exclude<Verdict, 'honest'>; means: string }>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** `message`: one sentence; what of it comes from the repository is cleaned here. */
export const problem = (code: ProblemCode, message: string): Problem => ({
  code,
  message: cleanValue(message),
});

/** What is tampered with is so, whatever else cannot be told. */
export function verdictOf(problems: readonly Problem[]): Verdict {
  if (problems.length === 0) return 'honest';
  return problems.some(({ code }) => PROBLEMS[code].verdict === 'tampered') ? 'tampered' : 'unverifiable';
}
