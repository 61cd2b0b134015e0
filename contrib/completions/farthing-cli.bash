# bash completion for farthing-cli(1): options from its -help, commands from the running node's help.
# Put it into /usr/share/bash-completion/completions/farthing-cli, or source it.

_farthing_cli() {
    local cur=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command="" word
    local -a connection=()

    # What was typed tells which node to ask: only options about that are passed on. "=" is a word of its own here.
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        while [[ ${COMP_WORDS[i + 1]} == "=" && $((i + 2)) -le $COMP_CWORD ]]; do
            word+="=${COMP_WORDS[i + 2]}"
            ((i += 2))
        done
        case $word in
        -conf=* | -datadir=* | -chain=* | -regtest | -signet | -testnet | -testnet4 | -rpc[cpu]*=*) connection+=("${word/#\~/$HOME}") ;;
        -*) ;;
        *) command=${command:-$word} ;;
        esac
    done

    case $cur in
    -*) COMPREPLY=($(compgen -W "$("$program" -help 2>/dev/null | sed -n 's/^  \(-[a-z]*=\{0,1\}\).*/\1/p')" -- "$cur")) ;;
    *)
        [[ -z $command || $command == help ]] || return 0
        COMPREPLY=($(compgen -W "$("$program" "${connection[@]}" help 2>/dev/null | sed -n 's/^\([a-z]\{1,\}\).*/\1/p')" -- "$cur"))
        ;;
    esac
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    return 0
} &&
    complete -o default -F _farthing_cli farthing-cli
