/** What the script of an export does: the same for each of them. POSIX sh and awk, git and ssh-keygen. */
export const CHECKS = String.raw`
set -u
LC_ALL=C
export LC_ALL
unset GIT_DIR GIT_WORK_TREE GIT_COMMON_DIR GIT_INDEX_FILE GIT_NAMESPACE GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES
unset GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT GIT_EXTERNAL_DIFF GIT_SHALLOW_FILE
# Neither replacements nor grafts: a commit is what its id says.
GIT_NO_REPLACE_OBJECTS=1
GIT_GRAFT_FILE=/dev/null
GIT_PAGER=cat
export GIT_NO_REPLACE_OBJECTS GIT_GRAFT_FILE GIT_PAGER

repository=$\{1:-.}
wrong=0
for program in git ssh-keygen awk cmp; do
  command -v "$program" >/dev/null || { printf 'FAILED  %s is not installed\n' "$program"; exit 1; }
done
folder=$\{TMPDIR:-/tmp}/backtrail-verify-$$
umask 077
mkdir "$folder" || exit 1
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' HUP INT TERM

g() {
  git --no-pager -C "$repository" -c core.commitGraph=false -c log.showSignature=false -c advice.graftFileDeprecated=false \
    -c core.quotePath=true -c i18n.logOutputEncoding=UTF-8 -c trailer.separators=: "$@"
}
good() { printf 'ok      %s\n' "$1"; }
bad() { printf 'FAILED  %s\n' "$1"; wrong=1; }
# The commit of the first of these refs that there is.
found() { for ref do g rev-parse -q --verify "$ref^{commit}" 2>/dev/null && return 0; done; return 1; }
# Those of a period, oldest first, of a line of "id<tab>seconds", newest first: none is older than one before it.
within() {
  awk -F '\t' -v from="$from" -v until="$until" -v now="$now" '
    { id[NR] = $1; time[NR] = $2 }
    END {
      latest = -1
      for (i = NR; i > 0; i--) {
        if (time[i] != "" && time[i] + 0 <= now + 0 && time[i] + 0 > latest) latest = time[i] + 0
        if (latest >= from + 0 && latest < until + 0) print id[i]
      }
    }'
}
# What comes from a commit on, of a line that is given newest first.
since() { awk -F '\t' -v tip="$1" '$1 == tip { on = 1 } on'; }

g rev-parse --git-dir >/dev/null 2>&1 || { bad "$repository is not a repository that git can read"; exit 1; }
now_at=$(found "refs/heads/$branch" "refs/remotes/origin/$branch") || now_at=
: >"$folder/line"
if [ -z "$now_at" ]; then
  bad "there is no branch $branch here"
else
  g log --first-parent --format='%H%x09%ct%x09%T%x09%P' "$now_at" >"$folder/line" || bad "the branch $branch cannot be read"
fi

# The commits of the period are those of the branch, all of them.
since "$tip" <"$folder/line" >"$folder/then"
if [ ! -s "$folder/then" ]; then
  bad "the branch $branch does not hold $tip, where it was"
else
  good "the branch $branch holds $tip, where it was"
  within <"$folder/then" >"$folder/period"
  if awk -v first="$first" -v last="$last" -v commits="$commits" '
    NR == 1 { one = $1 }
    { end = $1 }
    END { exit !(NR == commits + 0 && one == first && end == last) }' "$folder/period"; then
    good "the period has $commits commits of the branch, from $first to $last"
  else
    bad "the period has other commits of the branch than $commits from $first to $last"
  fi
fi

# Each change is on the branch, with its tree, and follows its base; and there is no other.
changes >"$folder/changes"
awk -v line="$folder/line" '
  BEGIN {
    while ((getline text < line) > 0) {
      split(text, part, "\t")
      tree[part[1]] = part[3]
      split(part[4], parent, " ")
      base[part[1]] = parent[1]
    }
  }
  {
    said = $0
    sub(/^[^ ]+ [^ ]+ [^ ]+ [^ ]+ /, "", said)
    why = ""
    if (!($1 in tree)) why = "is not on the branch"
    else if ($2 != "-" && tree[$1] != $2) why = "has the tree " tree[$1] ", not " $2
    else if ($3 != "-" && base[$1] != $3) why = "follows " base[$1] ", not " $3
    else if ($4 != "-" && !($4 in tree)) why = "returns to " $4 ", which is not on the branch"
    if (why == "") print "ok      " $1 " " said
    else { print "FAILED  " $1 " " why ": " said; wrong = 1 }
  }
  END { exit wrong }' "$folder/changes" || wrong=1
if [ -s "$folder/period" ]; then
  g log --no-walk=unsorted --stdin \
    --format='%H %(trailers:key=Rollback-Request-ID,valueonly,unfold,separator=%x2C)%(trailers:key=Resume-Request-ID,valueonly,unfold,separator=%x2C)' \
    <"$folder/period" >"$folder/named" || bad 'the commits of the period cannot be read'
  awk -v list="$folder/changes" '
    BEGIN { while ((getline text < list) > 0) { split(text, part, " "); known[part[1]] = 1 } }
    NF > 1 { all++; if (!($1 in known)) { print "FAILED  " $1 " names a request, and is not listed"; wrong = 1 } }
    END {
      if (!wrong) print "ok      all " all + 0 " commits of the period that name a request are listed"
      exit wrong
    }' "$folder/named" || wrong=1
fi

# The ledger of the period is the chain that is stated.
: >"$folder/chain"
chain >"$folder/stated"
if [ -n "$ledger_tip" ]; then
  short=$\{ledger#refs/backtrail/}
  ledger_at=$(found "$ledger" "refs/backtrail/remote/$short" "refs/remotes/origin/$\{ledger#refs/heads/}") || ledger_at=
  : >"$folder/events"
  if [ -z "$ledger_at" ]; then
    bad "there is no ledger $ledger here"
  else
    g log --first-parent --format='%H%x09%ct%x09%P' "$ledger_at" >"$folder/ledger" || bad "the ledger $ledger cannot be read"
    since "$ledger_tip" <"$folder/ledger" >"$folder/events"
    if [ -s "$folder/events" ]; then
      good "the ledger holds $ledger_tip, where it was"
    else
      bad "the ledger does not hold $ledger_tip, where it was"
    fi
    if awk -F '\t' '$3 ~ / / { exit 1 }' "$folder/ledger"; then
      good 'the ledger is one line'
    else
      bad 'the ledger holds a merge'
    fi
  fi
  within <"$folder/events" >"$folder/chain"
  awk '{ print $1 }' "$folder/stated" >"$folder/ids"
  if cmp -s "$folder/ids" "$folder/chain"; then
    good "the ledger has $ledger_commits commits of the period, one after the other"
  else
    bad "the ledger has other commits of the period than the $ledger_commits that are listed"
  fi
fi

# Events are signed by the keys that the list has for those who acted.
if [ -s "$folder/stated" ] && [ -s "$folder/chain" ]; then
  signers >"$folder/signers"
  awk '{
    for (i = 2; i < NF; i++) if ($i ~ /^(sk-)?(ssh|ecdsa)-/) { print $1 " " $i " " $(i + 1); break }
  }' "$folder/signers" | while read -r names kind key; do
    printf '%s %s\n' "$kind" "$key" >"$folder/key"
    print=$(ssh-keygen -l -E sha256 -f "$folder/key" 2>/dev/null | awk '{ print $2 }')
    printf '%s %s\n' "$\{print:--}" "$names"
  done >"$folder/keys"
  awk '$2 != "-" { print $1 }' "$folder/stated" >"$folder/signed"
  : >"$folder/found"
  if [ -s "$folder/signed" ]; then
    g -c gpg.format=ssh -c gpg.ssh.program=ssh-keygen -c gpg.ssh.allowedSignersFile="$folder/signers" \
      -c gpg.ssh.revocationFile=/dev/null -c gpg.minTrustLevel=undefined \
      log --no-walk=unsorted --stdin --format='%H %G? %GF %GS' <"$folder/signed" >"$folder/found" 2>/dev/null
  fi
  awk -v keys="$folder/keys" -v found="$folder/found" '
    function names(list, who, part, n, i) {
      n = split(tolower(list), part, ",")
      for (i = 1; i <= n; i++) if (part[i] == who) return 1
      return 0
    }
    BEGIN {
      while ((getline text < keys) > 0) {
        split(text, part, " ")
        of[part[1]] = of[part[1]] "," part[2]
      }
      while ((getline text < found) > 0) {
        split(text, part, " ")
        state[part[1]] = part[2]
        key[part[1]] = part[3]
        by[part[1]] = part[4]
      }
    }
    $2 == "-" { unsigned++; next }
    {
      all++
      if (state[$1] == "G" && key[$1] == $2 && (names(of[$2], tolower($3)) || names(by[$1], tolower($3)))) next
      print "FAILED  the event " $1 " is not signed by " $3 " with the key " $2
      wrong = 1
    }
    END {
      if (!wrong) print "ok      all " all + 0 " events that are said to be signed are, by keys of the list"
      if (unsigned) print "note    " unsigned " events are not signed by a key of the list"
      exit wrong
    }' "$folder/stated" || wrong=1
fi

if [ "$wrong" = 0 ]; then
  printf 'All of it holds.\n'
else
  printf 'It does not hold.\n'
fi
exit "$wrong"
`.replaceAll('$\\{', '${');
