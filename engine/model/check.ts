/** One result of a `doctor` probe. A probe gives one `ok`, or one result per problem. */
export interface Check {
  readonly area: 'machine' | 'repository' | 'configuration' | 'publishing' | 'queue';
  readonly name: string;
  /** `fail`: a function of Backtrail does not work until this is fixed. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence. */
  readonly message: string;
  /** How to fix it. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
