export type Severity = 'block' | 'warn' | 'info';
