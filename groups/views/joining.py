"""Proposing someone, saying yes or no, and the page an invitation opens."""

from uuid import UUID

from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from groups import gate, invitations, joining, policy, visible
from groups.forms.joining import NewAccountForm, ProposeForm
from groups.models import Proposal
from groups.policy import Action
from members import accounts
from members.limits import limited, spend
from members.models import Member
from members.refusals import Refused
from members.stepup import confirmed_lately


@confirmed_lately
def proposal_new(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Leaders propose a member or a second leader."""
    group = gate.enter(request, pk, Action.INVITE)
    form = ProposeForm(request.POST or None)
    status = 200
    if request.method == "POST" and form.is_valid():
        try:
            spend(request, "propose")
            joining.propose(group, **form.cleaned_data, by=gate.person(request), at=timezone.now())
        except Refused as refused:
            form.add_error(None, str(refused))
            status = refused.status
        else:
            messages.success(request, _("The invitation is on its way."))
            return redirect("roster", group.pk)
    return render(request, "groups/propose.html", {"group": group, "form": form}, status=status)


def _seen(request: HttpRequest, pk: UUID) -> Proposal:
    seen = visible.proposals(gate.person(request), timezone.now()).select_related(
        "group", "programme"
    )
    return get_object_or_404(seen, pk=pk)


@require_POST
@confirmed_lately
def proposal_answer(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A yes or a no, without reasons."""
    proposal = _seen(request, pk)
    if request.POST.get("answer") not in {"yes", "no"}:
        raise Http404
    yes = request.POST["answer"] == "yes"
    joining.answer(proposal, yes=yes, by=gate.person(request), at=timezone.now())
    said = _("You said yes.") if yes else _("You said no. No reason is asked or told.")
    messages.success(request, said)
    return redirect("roster", proposal.group_id)


@require_POST
@confirmed_lately
@limited("resend")
def proposal_resend(request: HttpRequest, pk: UUID) -> HttpResponse:
    """The invitation once more; the earlier one no longer opens."""
    proposal = _seen(request, pk)
    joining.resend(proposal, by=gate.person(request), at=timezone.now())
    messages.success(request, _("The invitation goes out again. The earlier one no longer opens."))
    return _back(proposal)


@require_POST
@confirmed_lately
def proposal_withdraw(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Take it back."""
    proposal = _seen(request, pk)
    joining.withdraw(proposal, by=gate.person(request), at=timezone.now())
    messages.success(request, _("The proposal is withdrawn."))
    return _back(proposal)


def _back(proposal: Proposal) -> HttpResponse:
    if proposal.group_id:
        return redirect("roster", proposal.group_id)
    return redirect("programme", proposal.programme_id)


def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invitation leads: make an account or sign in, then accept or decline."""
    proposal = invitations.read(token, at=timezone.now())
    if proposal is None:
        return render(request, "groups/invitation_gone.html", status=404)
    if request.method == "POST" and "decline" in request.POST:
        joining.decline(proposal, at=timezone.now())
        return render(request, "groups/invitation_declined.html")
    if request.user.is_authenticated:
        return _signed_in(request, proposal, token)
    if Member.objects.filter(email__iexact=proposal.address).exists():
        return _show(request, proposal, has_account=True)
    return _someone_new(request, proposal)


def _signed_in(request: HttpRequest, proposal: Proposal, token: str) -> HttpResponse:
    if gate.person(request).email.lower() != proposal.address.lower():
        return _show(request, proposal, somebody_else=True)
    if request.method == "POST":
        return _accept(request, proposal)
    return _show(request, proposal, ready=True)


def _someone_new(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    zone = proposal.group.time_zone if proposal.group else "UTC"
    first = {"name": proposal.name, "time_zone": zone}
    form = NewAccountForm(request.POST or None, email=proposal.address, initial=first)
    if request.method != "POST" or not form.is_valid():
        return _show(request, proposal, form=form)
    member = accounts.make_account(proposal.address, **form.cleaned_data)
    perform_login(request, member, email_verification="none")
    return _accept(request, proposal)


def _accept(request: HttpRequest, proposal: Proposal) -> HttpResponse:
    member = Member.objects.get(email__iexact=proposal.address)
    verified = EmailAddress.objects.filter(user=member, email__iexact=proposal.address)
    verified.update(verified=True)
    accounts.act_as(member)
    joining.accept(proposal, by=member, at=timezone.now())
    if proposal.group_id:
        return redirect("agreement", proposal.group_id)
    return redirect("programme", proposal.programme_id)


def _show(request: HttpRequest, proposal: Proposal, **context: object) -> HttpResponse:
    leaders = policy.leaders(proposal.group, timezone.now()) if proposal.group else []
    page = {"proposal": proposal, "group": proposal.group, "leaders": leaders} | context
    return render(request, "groups/invitation.html", page)
