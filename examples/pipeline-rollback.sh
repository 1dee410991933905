#!/usr/bin/env bash
# A pipeline's rollback, by image tags, over HTTP: finds what to return to, sees that it was deployed and that its image is still there, marks
# the bad deployment, has Backtrail roll back what is deployed, records that, and looks at the result. Run again after a failure, it goes on.
#
#   pipeline-rollback.sh BAD_TAG [GOOD_TAG]      GOOD_TAG: else the newest other one that is recorded as deployed
#
#   BACKTRAIL_SERVER       https://backtrail.example.com
#   BACKTRAIL_TOKEN_FILE   a file with a token that may deploy and record
#   ENVIRONMENT, SERVICE, TENANT   what is rolled back; without TENANT, what has none
#   REASON                 why (default: Rollback of BAD_TAG)
#   REGISTRY               https://registry.example.com; empty: the image is not looked for
#   WAIT_SECONDS           for the rollback, and whoever has to approve it (default: 900)
#
# Ends with 0: rolled back; 1: something failed; 2: called in a wrong way; 5: it still waits.
set -euo pipefail

say() { printf '%s\n' "$*"; }
fail() {
  printf 'pipeline-rollback: %s\n' "$1" >&2
  exit "${2:-1}"
}

for program in curl jq; do
  command -v "$program" >/dev/null || fail "$program is missing; install it (Debian: apt-get install $program)." 2
done
{ [ "$#" -ge 1 ] && [ "$#" -le 2 ]; } || fail 'usage: pipeline-rollback.sh BAD_TAG [GOOD_TAG]' 2
bad="$1"
good="${2:-}"
for name in BACKTRAIL_SERVER BACKTRAIL_TOKEN_FILE ENVIRONMENT SERVICE; do
  [ -n "${!name:-}" ] || fail "$name is not set." 2
done
[ -r "$BACKTRAIL_TOKEN_FILE" ] || fail "$BACKTRAIL_TOKEN_FILE cannot be read." 2
token="$(<"$BACKTRAIL_TOKEN_FILE")"
[[ "$token" =~ ^[A-Za-z0-9._~+/=-]+$ ]] || fail "$BACKTRAIL_TOKEN_FILE holds no token." 2
server="${BACKTRAIL_SERVER%/}"
tenant="${TENANT:--}"
wait_seconds="${WAIT_SECONDS:-900}"
[[ "$wait_seconds" =~ ^[0-9]{1,6}$ ]] || fail 'WAIT_SECONDS is a number of seconds.' 2

# What a server or a record says may hold anything; a terminal and a log get no control characters.
clean() { LC_ALL=C tr -d '\000-\010\013-\037\177'; }
encoded() { jq -rn --arg text "$1" '$text | @uri'; }
of() { jq -r "$1" <<<"$2"; }
# For jq: whether an image has a tag.
has='def has_tag($tag): . == $tag or endswith(":" + $tag);'

# The token is on no command line, which others could read.
with_token() { printf 'header = "Authorization: Bearer %s"\n' "$token"; }

# call METHOD PATH [BODY [IDEMPOTENCY_KEY]]: prints the answer.
call() {
  local answer status
  local args=(--silent --show-error --max-time 60 --proto '=http,https' --request "$1" --write-out '\n%{http_code}')
  [ -z "${3:-}" ] || args+=(--header 'Content-Type: application/json' --data-binary "$3")
  [ -z "${4:-}" ] || args+=(--header "Idempotency-Key: $4")
  answer="$(curl --config <(with_token) "${args[@]}" --url "$server$2")" || fail "$1 $2 was not answered."
  status="${answer##*$'\n'}"
  answer="${answer%$'\n'*}"
  if [ "$status" -ge 400 ]; then
    fail "$1 $2: $(jq -r '"\(.code): \(.detail) \(.hint)"' <<<"$answer" 2>/dev/null | clean || true) ($status)"
  fi
  printf '%s\n' "$answer"
}

deployments=/api/v1/platform/deployments
within="environment=$(encoded "$ENVIRONMENT")&service=$(encoded "$SERVICE")&tenant=$(encoded "$tenant")"

# 1. What to return to.
if [ -z "$good" ]; then
  history="$(call GET "$deployments/history?$within&limit=100")"
  good="$(jq -r --arg bad "$bad" "$has"'
    def is_good: .status == "DEPLOYED" and .verified and .imageTag != null and (.images | any(has_tag($bad)) | not);
    first(.deployments[] | select(is_good) | .imageTag) // ""' <<<"$history")"
  [ -n "$good" ] || fail "no other deployment of $SERVICE in $ENVIRONMENT is recorded."
fi
say "1. Return from $bad to $good." | clean

# 2. It was deployed here.
found="$(call GET "$deployments/tag/$(encoded "$good")/exists?$within")"
[ "$(of .exists "$found")" = true ] || fail "$good was never deployed to $ENVIRONMENT."
target="$(of .deployment.configCommit "$found")"
target_id="$(of .deployment.id "$found")"
say "2. It was deployed: $target_id."

# 3. Its image is still in the registry.
if [ -z "${REGISTRY:-}" ]; then
  say '3. REGISTRY is empty: its image is not looked for.'
else
  image="$(jq -r --arg tag "$good" "$has"'first(.deployment.images[] | select(has_tag($tag))) // ""' <<<"$found")"
  image="${image%:*}"
  # The first part is a host where it looks like one.
  [[ "$image" != */* || ! "${image%%/*}" =~ [.:]|^localhost$ ]] || image="${image#*/}"
  [[ "$image" =~ ^[a-z0-9]+(([._/]|__|-+)[a-z0-9]+)*$ ]] || fail "the record of $good names no image that a registry can have."
  accept='application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json'
  accept+=', application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json'
  status="$(curl --silent --show-error --max-time 60 --proto '=http,https' --head --output /dev/null --write-out '%{http_code}' \
    --header "Accept: $accept" --url "${REGISTRY%/}/v2/$image/manifests/$(encoded "$good")")" || fail "$REGISTRY did not answer."
  [ "$status" = 200 ] || fail "$image:$good is not in $REGISTRY ($status)."
  say "3. $image:$good is in the registry."
fi

# 4. What runs is bad.
marked="$(call POST "$deployments/tag/$(encoded "$bad")/rollback?$within" '{}')"
say "4. $(of '"\(.id) is \(.status) since \(.rolledBackAt)."' "$marked")"

# 5. Backtrail rolls back what is deployed, with its checks and approvals. The same two deployments are one rollback.
ask="$(jq -n --arg tenant "$tenant" --arg environment "$ENVIRONMENT" --arg service "$SERVICE" --arg target "$target" \
  --arg reason "${REASON:-Rollback of $bad to $good}" \
  '{ tenant: $tenant, environment: $environment, service: $service, targetSha: $target, justification: $reason }')"
asked="$(call POST /api/v1/rollbacks "$ask" "$(of .id "$marked")-to-$target_id")"
if [ "$(of .request "$asked")" = null ]; then
  say '5. It is what runs already.'
  exit 0
fi
id="$(of .requestId "$asked")"
told=''
deadline=$((SECONDS + wait_seconds))
retried=no
while true; do
  request="$(call GET "/api/v1/rollbacks/$id")"
  status="$(of .status "$request")"
  case "$status" in
    completed) break ;;
    failed)
      [ "$retried" = no ] || fail "$id failed: $(of .result.message "$request" | clean)"
      # An earlier run of this script may have left it so.
      retried=yes
      call POST "/api/v1/rollbacks/$id/retry" '{}' >/dev/null
      continue
      ;;
    pending | approved | executing) ;;
    *) fail "$id is $status." ;;
  esac
  [ "$status" = "$told" ] || say "5. $id is $status …"
  told="$status"
  [ "$SECONDS" -lt "$deadline" ] || fail "$id is still $status: run this again later." 5
  sleep 1
done
commit="$(of '.result.commit // ""' "$request")"
[ -n "$commit" ] || fail "$id changed nothing."
say "5. $id is completed."

# 6. The redeployment is a deployment of its own. Where Backtrail has recorded it, this is that record.
record="$(jq -n --arg tenant "$tenant" --arg environment "$ENVIRONMENT" --arg service "$SERVICE" --arg commit "$commit" --arg of "$target_id" \
  '{ tenant: $tenant, environment: $environment, service: $service, configCommit: $commit, rollbackOf: $of }')"
recorded="$(call POST "$deployments" "$record")"
say "6. It is recorded: $(of .id "$recorded")."

# 7. What is recorded last is what was returned to.
newest="$(call GET "$deployments/history?$within&limit=1")"
jq -e --arg commit "$commit" --arg tag "$good" --arg target "$target" "$has"'
  .deployments[0] | .configCommit == $commit and .status == "DEPLOYED" and .rollbackOf.commit == $target
    and (.images | any(has_tag($tag)))' <<<"$newest" >/dev/null || fail "something else was deployed to $ENVIRONMENT since."
say "7. $SERVICE runs $good in $ENVIRONMENT."
