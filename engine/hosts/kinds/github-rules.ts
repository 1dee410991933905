/** What GitHub asks for before it merges into a branch: rulesets, and the older branch protection, of which most tokens see little. */
import type { Octokit } from '@octokit/core';
import { z } from 'zod';
import { MERGE_METHODS, type MergeMethod } from '../../model/index.ts';
import { line, numbered, readAnswer, unlessHidden } from '../answers.ts';
import { type HostContext, PER_PAGE } from './context.ts';
import { nameOf } from './github-client.ts';
import type { MergeSettings } from '../../model/index.ts';

type Ask = <Value>(call: (client: Octokit) => Promise<Value>) => Promise<Value>;

const enabled = z.object({ enabled: z.boolean() }).optional();
const contexts = z.object({ contexts: z.array(line).default([]) }).nullish();

const repositorySchema = z.object({
  // Left out for tokens that may only read.
  allow_merge_commit: z.boolean().default(true),
  allow_rebase_merge: z.boolean().default(true),
  allow_squash_merge: z.boolean().default(true),
  permissions: z.object({ admin: z.boolean().default(false) }).optional(),
});
const rulesSchema = z.array(
  z.object({
    type: line,
    ruleset_id: numbered.optional(),
    parameters: z
      .object({
        allowed_merge_methods: z.array(line).optional(),
        required_status_checks: z.array(z.object({ context: line })).optional(),
      })
      .optional(),
  }),
);
const rulesetSchema = z.object({ current_user_can_bypass: line.optional() });
const branchSchema = z.object({
  protected: z.boolean(),
  protection: z.object({ enabled: z.boolean().default(false), required_status_checks: contexts }).optional(),
});
const protectionSchema = z.object({
  enforce_admins: enabled,
  required_linear_history: enabled,
  required_signatures: enabled,
});

/** Rules whatever their source, and the checks that they ask for. */
export async function readBranchRules({ place, connection }: HostContext, ask: Ask, branch: string) {
  const host = { name: place.name, scrub: connection.scrub };
  const [owner = '', repo = ''] = place.repository.split('/');
  const at = { owner, repo, branch };
  // Enterprise servers before 3.11 have no rulesets.
  const found = await unlessHidden(
    ask((client) =>
      client.request('GET /repos/{owner}/{repo}/rules/branches/{branch}', { ...at, per_page: PER_PAGE }),
    ),
  );
  const rules = found === null ? [] : readAnswer(host, rulesSchema, found.data);
  const seen = await unlessHidden(
    ask((client) => client.request('GET /repos/{owner}/{repo}/branches/{branch}', at)),
  );
  const { protection } = seen === null ? {} : readAnswer(host, branchSchema, seen.data);
  const ofRules = rules.flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
  return {
    rules,
    /** Of the older kind; null: not known. */
    isProtected: seen === null ? null : (protection?.enabled ?? false),
    requiredChecks: [
      ...ofRules.map(({ context }) => context),
      ...(protection?.required_status_checks?.contexts ?? []),
    ],
  };
}

/** @throws HOST_DENIED where the token does not see the repository */
export async function readSettings(context: HostContext, ask: Ask, into: string): Promise<MergeSettings> {
  const host = nameOf(context);
  const [owner = '', repo = ''] = context.place.repository.split('/');
  const { data } = await ask((client) => client.request('GET /repos/{owner}/{repo}', { owner, repo }));
  const repository = readAnswer(host, repositorySchema, data);
  const isAdmin = repository.permissions?.admin ?? false;
  const { rules, isProtected } = await readBranchRules(context, ask, into);
  const protection = isProtected === false ? null : await readProtection();
  const has = (type: string) => rules.some((rule) => rule.type === type);
  const isLinear = has('required_linear_history') || protection?.required_linear_history?.enabled === true;
  const isSigned = has('required_signatures') || protection?.required_signatures?.enabled === true;
  const allowed: Readonly<Record<MergeMethod, boolean>> = {
    merge: repository.allow_merge_commit && !isLinear,
    // What GitHub rebases has no signature.
    rebase: repository.allow_rebase_merge && !isSigned,
    squash: repository.allow_squash_merge,
  };
  const isWithin = (method: MergeMethod) =>
    rules.every(({ parameters }) => parameters?.allowed_merge_methods?.includes(method) ?? true);
  return {
    methods: MERGE_METHODS.filter((method) => allowed[method] && isWithin(method)),
    hasQueue: has('merge_queue'),
    mayBypass: await mayBypass(),
    hasDrafts: true,
    ...((isSigned || isProtected === false || protection !== null) && { requiresSignatures: isSigned }),
  };

  /** null: not seen, which is for administrators. */
  async function readProtection(): Promise<z.output<typeof protectionSchema> | null> {
    const seen = await unlessHidden(
      ask((client) =>
        client.request('GET /repos/{owner}/{repo}/branches/{branch}/protection', {
          owner,
          repo,
          branch: into,
        }),
      ),
    );
    return seen === null ? null : readAnswer(host, protectionSchema, seen.data);
  }

  async function mayBypass(): Promise<boolean | null> {
    const ids = new Set(rules.flatMap(({ ruleset_id: id }) => (id === undefined ? [] : [id])));
    const answers = await Promise.all([...ids].slice(0, 20).map(mayPass));
    const classic =
      isProtected === false
        ? false
        : protection === null
          ? null
          : isAdmin && protection.enforce_admins?.enabled === false;
    const all = [...answers, classic];
    if (all.includes(true)) return true;
    return all.includes(null) ? null : false;
  }

  async function mayPass(id: number): Promise<boolean | null> {
    const seen = await unlessHidden(
      ask((client) =>
        client.request('GET /repos/{owner}/{repo}/rulesets/{ruleset_id}', { owner, repo, ruleset_id: id }),
      ),
    );
    if (seen === null) return null;
    const word = readAnswer(host, rulesetSchema, seen.data).current_user_can_bypass;
    return word === undefined ? null : word !== 'never';
  }
}
