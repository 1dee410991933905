/** Incidents: several scopes back to known-good revisions, asked for, handed over and followed together. It loads the engine. */
export { type Incident, incidentSchema, withHolds } from './ask.ts';
export { isOpen, type Item } from './plan.ts';
export { prepareIncident } from './prepare.ts';
export { isUnderWay, runIncident } from './run.ts';
export { exitCodeOf, incidentValue, statusOf } from './value.ts';
export {
  commitOf,
  type Decision,
  executableAfter,
  findReview,
  isVotable,
  readAgain,
  type ReviewItem,
  reviewPlans,
  reviewValue,
  voteOnAll,
} from './review.ts';
