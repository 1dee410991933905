/** secretlint as a function. Slow to load: imported by vendor-rules.ts when it is needed. */
import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';

export interface Match {
  /** `github` of `@secretlint/secretlint-rule-github`. */
  readonly rule: string;
  readonly start: number;
  readonly end: number;
}

const ID = '@secretlint/secretlint-rule-preset-recommend';

export async function lint(content: string): Promise<readonly Match[]> {
  const { messages } = await lintSource({
    source: { filePath: 'file', content, contentType: 'text', ext: '' },
    options: {
      config: { rules: [{ id: ID, rule: creator }] },
      noPhysicFilePath: true,
      maskSecrets: true,
    },
  });
  return messages.map(({ ruleId, range: [start, end] }) => ({
    rule: ruleId.replace(/^.*secretlint-rule-/, ''),
    start,
    end,
  }));
}
