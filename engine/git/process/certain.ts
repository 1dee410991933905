const LIMIT = 4_000;
const answers = new WeakMap<object, Map<string, Promise<boolean>>>();

/**
 * Asks a repository once what can only be answered by "yes" from then on: how two commits lie to each other, named by their ids, as neither
 * grafts nor replacements count (environment.ts). A "no" is asked again: it may mean that a commit is not here yet, or that a
 * clone is shallow.
 */
export async function certain(
  repository: object,
  question: string,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  const known = answers.get(repository) ?? new Map<string, Promise<boolean>>();
  answers.set(repository, known);
  const asked = known.get(question);
  if (asked !== undefined && (await asked.catch(() => false))) return true;
  const answer = ask();
  if (known.size >= LIMIT) known.clear();
  known.set(question, answer);
  let isSo = false;
  try {
    isSo = await answer;
  } finally {
    if (!isSo && known.get(question) === answer) known.delete(question);
  }
  return isSo;
}
