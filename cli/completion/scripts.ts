/**
 * What a shell runs when Tab is pressed: it hands the words typed so far to `backtrail complete`, which prints a candidate a line,
 * `value<TAB>description`, or `:files`. No script evaluates a word: what the repository is named like is data to all of them.
 */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// bash 3.2, as macOS has it, knows neither mapfile nor negative indexes, and compopt neither.
const BASH = String.raw`# bash completion for backtrail. In ~/.bashrc: eval "$(backtrail completion bash)"
_backtrail() {
  local word glue= line value quoted prefix= current words count=0
  words=()
  for word in "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}"; do
    # Readline splits words at ":" and "=" as well.
    if [[ $count -gt 0 && ( $word =~ ^[:=]+$ || -n $glue ) ]]; then
      words[count-1]+=$word
    else
      words[count]=$word
      count=$((count + 1))
    fi
    if [[ $word =~ ^[:=]+$ ]]; then glue=1; else glue=; fi
  done
  [[ $count -gt 0 ]] || { words=(''); count=1; }
  current=${'$'}{words[count-1]}
  [[ $current == *[:=]* ]] && prefix=${'$'}{current%"${'$'}{current##*[:=]}"}
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
      return 0
    fi
    value=${'$'}{line%%$'\t'*}
    printf -v quoted %q "$value"
    # Within quotes of the user's own, only what needs none can be inserted.
    [[ $current == [\"\']* && $quoted != "$value" ]] && continue
    [[ $value == */ ]] && compopt -o nospace 2>/dev/null
    COMPREPLY[${'$'}{#COMPREPLY[@]}]=${'$'}{quoted#"$prefix"}
  done < <(backtrail complete bash -- "${'$'}{words[@]}" 2>/dev/null)
  return 0
}
complete -F _backtrail backtrail
`;

const ZSH = String.raw`#compdef backtrail
# zsh completion for backtrail. In ~/.zshrc, after compinit: eval "$(backtrail completion zsh)"
_backtrail() {
  local line value
  local -a ends endsShown folders foldersShown
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      _files
      return
    fi
    value=${'$'}{line%%$'\t'*}
    if [[ $value == */ ]]; then
      folders+=("$value") foldersShown+=("$value")
    else
      ends+=("$value") endsShown+=("${'$'}{line/$'\t'/  -- }")
    fi
  done < <(backtrail complete zsh -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  (( $#ends )) && compadd -l -d endsShown -a -- ends
  (( $#folders )) && compadd -S '' -d foldersShown -a -- folders
  (( $#ends + $#folders ))
}
if [[ ${'$'}{funcstack[1]} == _backtrail ]]; then _backtrail "$@"; else compdef _backtrail backtrail; fi
`;

const FISH = String.raw`# fish completion for backtrail. In ~/.config/fish/config.fish: backtrail completion fish | source
function __backtrail_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l found (backtrail complete fish -- $words "$current" 2>/dev/null)
    if test "$found" = ':files'
        __fish_complete_path "$current"
    else
        printf '%s\n' $found
    end
end
complete -c backtrail -f -a '(__backtrail_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
