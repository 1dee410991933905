/** Which scopes a pattern stands for: `*` is any part of one name, never a `/`. The server resolves it again; what is asked for is what its preview has. */

export function matching(all: readonly string[], pattern: string): readonly string[] {
  const patterns = pattern.split('/').map((name) => name.split(/\*+/));
  return all.filter((scope) => {
    const names = scope.split('/');
    return names.length === patterns.length && patterns.every((parts, at) => fits(parts, names[at] ?? ''));
  });
}

/** The first place where each part between stars fits is as good as any other: nothing is tried twice. */
function fits([first = '', ...rest]: readonly string[], name: string): boolean {
  const last = rest.at(-1);
  if (last === undefined) return name === first;
  if (!name.startsWith(first)) return false;
  let at = first.length;
  for (const part of rest.slice(0, -1)) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
