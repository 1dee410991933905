/** Chooses the pager for long results, if any. */
export interface Pager {
  /** A line for the shell, from the environment of the user and nowhere else. */
  readonly command: string;
  readonly columns: number;
  readonly rows: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Variables = Pager['env'];

/** null for no pager: none is set, or it is `cat`. BACKTRAIL_PAGER takes precedence over PAGER. */
export function pagerOf(
  env: Variables,
  { columns = 0, rows = 0 }: { columns?: number; rows?: number },
): Pager | null {
  const command = (env['BACKTRAIL_PAGER'] ?? env['PAGER'] ?? 'less -FRX').trim();
  if (command === '' || command === 'cat' || columns === 0 || rows === 0) return null;
  return { command, columns, rows, env: { ...env, LESS: env['LESS'] ?? 'FRX', LV: env['LV'] ?? '-c' } };
}
