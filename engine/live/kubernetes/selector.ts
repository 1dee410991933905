import { fieldsAt, isFields, listAt, textAt, valueAt } from '../read.ts';

/** Whether a workload selects a pod: `spec.selector` with its labels and expressions. One that selects everything selects nothing. */
export function selects(workload: unknown, pod: unknown): boolean {
  const selector = valueAt(workload, 'spec', 'selector');
  const labels = fieldsAt(pod, 'metadata', 'labels');
  const equal = Object.entries(fieldsAt(selector, 'matchLabels'));
  const expressions = listAt(selector, 'matchExpressions');
  if (!isFields(selector) || equal.length + expressions.length === 0) return false;
  return (
    equal.every(([key, value]) => valueAt(labels, key) === value) &&
    expressions.every((expression) => matches(expression, labels))
  );
}

function matches(expression: unknown, labels: unknown): boolean {
  const value = valueAt(labels, textAt(expression, 'key') ?? '');
  const isIn = listAt(expression, 'values').includes(value);
  switch (textAt(expression, 'operator')) {
    case 'In':
      return isIn;
    case 'NotIn':
      return !isIn;
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}
