# bash completion for farthing-cli(1). Made by `make docs`; a node need not run.
# Put it into /usr/share/bash-completion/completions/farthing-cli, or source it.

_farthing_cli() {
    local cur=${COMP_WORDS[COMP_CWORD]} command="" word i
    local options="
        -help -version -color= -conf= -datadir= -miningaddress= -named -rpcid= -rpcclienttimeout= -rpcconnect= -rpccookiefile=
        -rpcpassword= -rpcport= -rpctls -rpctlsca= -rpctlsfingerprint= -rpcuser= -rpcwait -rpcwaittimeout= -rpcwallet= -stdin
        -stdinrpcpass -stdinwalletpassphrase -chain= -regtest -signet -testnet -testnet4 -addrinfo -generate -getinfo -netinfo"
    local commands="
        abortprivatebroadcast
        addconnection
        addnode
        addpeeraddress
        analyzepsbt
        clearbanned
        combinepsbt
        combinerawtransaction
        converttopsbt
        createmultisig
        createpsbt
        createrawtransaction
        decodepsbt
        decoderawtransaction
        decodescript
        deriveaddresses
        descriptorprocesspsbt
        disconnectnode
        dumptxoutset
        echo
        echoipc
        echojson
        enumeratesigners
        estimaterawfee
        estimatesmartfee
        exportasmap
        finalizepsbt
        generate
        generateblock
        generatetoaddress
        generatetodescriptor
        getaddednodeinfo
        getaddressbalance
        getaddressdeltas
        getaddresshistory
        getaddressmempool
        getaddresstxids
        getaddressutxos
        getaddrmaninfo
        getbestblockhash
        getblock
        getblockchaininfo
        getblockcount
        getblockfilter
        getblockfrompeer
        getblockhash
        getblockheader
        getblockstats
        getblocktemplate
        getchainstates
        getchaintips
        getchaintxstats
        getconnectioncount
        getdeploymentinfo
        getdescriptoractivity
        getdescriptorinfo
        getdifficulty
        getgenerate
        gethashespersec
        getindexinfo
        getmemoryinfo
        getmempoolancestors
        getmempoolcluster
        getmempooldescendants
        getmempoolentry
        getmempoolfeehistogram
        getmempoolfeeratediagram
        getmempoolinfo
        getmininginfo
        getnettotals
        getnetworkhashps
        getnetworkinfo
        getnodeaddresses
        getopenrpcinfo
        getorphantxs
        getpeerinfo
        getprioritisedtransactions
        getprivatebroadcastinfo
        getrawaddrman
        getrawmempool
        getrawtransaction
        getrpcinfo
        getstratuminfo
        gettxout
        gettxoutproof
        gettxoutsetinfo
        gettxspendingprevout
        getzmqnotifications
        help
        importmempool
        invalidateblock
        joinpsbts
        listbanned
        loadtxoutset
        logging
        mockscheduler
        ping
        preciousblock
        prioritisetransaction
        pruneblockchain
        reconsiderblock
        rpc.discover
        savemempool
        scanblocks
        scantxoutset
        sendmsgtopeer
        sendrawtransaction
        setban
        setgenerate
        setmocktime
        setnetworkactive
        signmessagewithprivkey
        signrawtransactionwithkey
        signsignetblock
        stop
        submitblock
        submitheader
        submitpackage
        syncwithvalidationinterfacequeue
        testmempoolaccept
        uptime
        utxoupdatepsbt
        validateaddress
        verifychain
        verifymessage
        verifytxoutproof
        waitforblock
        waitforblockheight
        waitfornewblock"

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # "=" is a word of its own here, and what follows it is the option's value.
        if [[ $word == "=" ]]; then
            ((i++))
        elif [[ $word != -* ]]; then
            command=$word
            break
        fi
    done

    COMPREPLY=()
    if [[ -z $command && ($cur == "=" || ${COMP_WORDS[COMP_CWORD - 1]} == "=") ]]; then
        [[ $cur == "=" ]] && cur="" && word=${COMP_WORDS[COMP_CWORD - 1]} || word=${COMP_WORDS[COMP_CWORD - 2]}
        case $word in
        -color) COMPREPLY=($(compgen -W "always auto never" -- "$cur")) ;;
        -chain) COMPREPLY=($(compgen -W "main test testnet4 signet regtest" -- "$cur")) ;;
        esac # others: files
        return 0
    elif [[ -z $command && $cur == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$cur"))
    elif [[ -z $command || ($command == help && $i -eq $((COMP_CWORD - 1))) ]]; then
        COMPREPLY=($(compgen -W "$commands" -- "$cur"))
    fi
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
} &&
    complete -o default -F _farthing_cli farthing-cli
