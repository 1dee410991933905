/** A rollback that is asked for with `--queue`. */
export const GATEWAY = 'acme/production/api-gateway';

export const back = (...more: string[]) => [
  'rollback',
  GATEWAY,
  '--yes',
  '--reason',
  'It answers 500',
  '--queue',
  ...more,
];
