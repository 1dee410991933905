/**
 * The commit of a revision as Flux writes it: `main@sha1:ID`, `sha1:ID`, and `main/ID` before Flux 2. What has none (the digest of an OCI
 * artifact, a version of a chart) is given back as it is: Git does not know it.
 */
export const commitOf = (revision: string): string =>
  /(?:^|[@/:])([0-9a-f]{64}|[0-9a-f]{40})$/.exec(revision)?.[1] ?? revision;
