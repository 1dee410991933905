/** One answer of `doctor`. A name may come several times: one a problem. */
export interface Check {
  readonly area: 'machine' | 'repository' | 'configuration' | 'publishing' | 'queue';
  readonly name: string;
  /** `fail`: something that Backtrail is there for does not work until it is mended. */
  readonly status: 'ok' | 'warn' | 'fail';
  /** One sentence. */
  readonly message: string;
  /** How to mend it. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
