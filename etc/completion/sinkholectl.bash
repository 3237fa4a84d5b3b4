# bash completion for sinkholectl: the program itself knows what may come next.
_sinkholectl() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local before=("${COMP_WORDS[@]:1:COMP_CWORD-1}")

    case ${COMP_WORDS[COMP_CWORD-1]} in
    -d | --run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
    --svg | --expect) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
    -s | --mode-source | -t | --timeout) COMPREPLY=() ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W \
            "$("${COMP_WORDS[0]}" completion -- "${before[@]}" 2>/dev/null)" -- "$current")
        ;;
    esac
}
complete -F _sinkholectl sinkholectl
