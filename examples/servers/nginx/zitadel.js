// /etc/nginx/zitadel/zitadel.js: reads the token, asks ZITADEL about it, and answers
// auth_request: 204 for a token with the role, 401 without a valid token, 403 for a valid
// token without the role, 500 if ZITADEL did not answer.

// Basic (git, docker, curl -u): the token is the password; the user name is ignored.
// Bearer (curl, git 2.46): the token itself.
function token(r) {
    const m = /^(basic|bearer) +(\S+)$/i.exec(r.variables.http_authorization || '');
    if (!m) return '';
    let t = m[2];
    if (m[1].toLowerCase() === 'basic') {
        const pair = Buffer.from(t, 'base64').toString();
        const colon = pair.indexOf(':');
        if (colon < 0) return '';
        t = pair.slice(colon + 1);
    }
    // only the characters of RFC 6750
    return t.length <= 49152 && /^[A-Za-z0-9._~+\/-]+=*$/.test(t) ? t : '';
}

// The key of an answer in nginx's cache. The cache's files contain it, so it is a hash.
function hash(r) {
    return require('crypto').createHash('sha256').update(token(r)).digest('hex');
}

// The body of an introspection request.
function form(r) {
    return 'token_type_hint=access_token&token=' + encodeURIComponent(token(r));
}

// The header of a userinfo request.
function bearer(r) {
    return 'Bearer ' + token(r);
}

function own(object, key) {
    return typeof object === 'object' && object !== null
        && Object.prototype.hasOwnProperty.call(object, key);
}

// 204 if the user has one of the wanted roles, given by the wanted organisation. Only the
// claim that NAMES the project counts: "urn:zitadel:iam:org:projects:roles" has the roles of
// all projects of the token: another project's deployer would get in.
function decide(r, claims) {
    const v = r.variables;
    const roles = claims['urn:zitadel:iam:org:project:' + v.zitadel_project + ':roles'];
    const has = (role) => own(roles, role) && own(roles[role], v.zitadel_organisation);
    if (!v.zitadel_roles.split(' ').some(has)) return 403;
    v.zitadel_user = claims.sub;
    return 204;
}

function parse(answer) {
    try { return JSON.parse(answer.responseText); } catch (e) { return null; }
}

function introspect(r) {
    if (!token(r)) { r.return(401); return; }
    r.subrequest('/_zitadel/introspect', { method: 'POST' }, (answer) => {
        const claims = answer.status === 200 ? parse(answer) : null;
        if (!claims) {
            r.error('zitadel: introspection answered ' + answer.status);
            r.return(500);
            return;
        }
        // The status is 200 for a bad token too, and for one that is not for the project.
        // The answer may come from the cache, so exp is checked again.
        const active = claims.active === true && claims.exp > Date.now() / 1000;
        r.return(active ? decide(r, claims) : 401);
    });
}

function userinfo(r) {
    if (!token(r)) { r.return(401); return; }
    r.subrequest('/_zitadel/userinfo', { method: 'GET' }, (answer) => {
        if (answer.status === 401 || answer.status === 403) { r.return(401); return; }
        const claims = answer.status === 200 ? parse(answer) : null;
        if (!claims) {
            r.error('zitadel: userinfo answered ' + answer.status);
            r.return(500);
            return;
        }
        r.return(decide(r, claims));
    });
}

export default { introspect, userinfo, hash, form, bearer };
