/* oxlint-disable no-console -- it is a program, and prints */
/**
 * Backtrail as a library: plans a rollback, shows it, and asks for it. `node examples/library.mjs REPOSITORY SCOPE [--execute]`
 *
 * It imports the package by its name, as your own program does: `npm install backtrail`, or `npm run build` in a clone.
 */
import { isBlocked, isFailure, openEngine } from 'backtrail';

const [repo, scope, ...options] = process.argv.slice(2);
if (repo === undefined || scope === undefined) throw new Error('Name a repository and a scope.');

const engine = await openEngine({ repo });
try {
  // What would change. Plain JSON: it may be stored, sent, and confirmed by somebody else in another process.
  const plan = await engine.rollbacks.plan({ scope });
  console.log(`${plan.scope} to ${plan.target.slice(0, 10)} (v${plan.targetVersion}) on ${plan.branch}`);
  for (const { files } of plan.changes)
    for (const { path, fields = [] } of files)
      console.log(
        `  ${path}: ${fields.map(({ selector, before, after }) => `${selector} ${before} -> ${after}`).join(', ')}`,
      );
  for (const { severity, message } of plan.findings) console.log(`  ${severity}: ${message}`);

  // Who has to agree, and whether we may ask.
  const { gate } = plan;
  if (isBlocked(plan) || plan.unchanged || !gate.may.request.allowed) process.exitCode = 3;
  else {
    // The digest binds the request to what was shown: where the scope is another one by now, it fails with PLAN_CHANGED.
    const { requestId, status, commit } = await engine.rollbacks.request({
      scope: plan.scope,
      target: plan.target,
      digest: plan.digest,
      rendered: gate.rendered,
      reason: 'v2.1.0 answers 500',
    });
    console.log(`${status} ${requestId} ${commit ?? ''}`.trimEnd());
    // With a policy it waits for approval; approved, it is executed by a worker, or here.
    if (status === 'approved' && options.includes('--execute'))
      console.log((await engine.rollbacks.execute(requestId)).status);
  }
} catch (error) {
  if (!isFailure(error)) throw error;
  console.error(`${error.code}: ${error.message} ${error.hint}`);
  process.exitCode = 1;
} finally {
  await engine.close();
}
