/** Layouts, and what is found by them. */
import { parseConfig } from '../../../engine/layout/configuration/parse.ts';
import { compileLayout } from '../../../engine/layout/layout.ts';

export const layoutOf = (layout: object, rest: object = {}) =>
  compileLayout(parseConfig(JSON.stringify({ version: 1, layout, ...rest }), 'c.yaml'));

export const DESIGN = layoutOf({
  environment: ['tenants/{tenant}/{environment}/**'],
  service: [
    'tenants/{tenant}/{environment}/services/{service}/**',
    'tenants/{tenant}/{environment}/variables.yaml#/services/{service}',
  ],
});
