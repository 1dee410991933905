/** How people name a revision: by its version, or by its commit where it has none. */
export const revisionName = ({
  target,
  targetVersion,
}: {
  readonly target: string;
  readonly targetVersion: number | null;
}): string => (targetVersion === null ? target.slice(0, 12) : `v${targetVersion}`);
