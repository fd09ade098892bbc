from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('growth', '0006_store_since_when_a_referral_is_proved'),
    ]

    operations = [
        migrations.AddField(
            model_name='referralprogram',
            name='coupon',
            field=models.CharField(blank=True, help_text="Id of the coupon for the inviter's subscription, best one that applies once", max_length=255, verbose_name='Stripe coupon'),
        ),
        migrations.AlterField(
            model_name='referralprogram',
            name='reward',
            field=models.CharField(choices=[('none', 'Nothing: only measure'), ('webhook', 'Your backend decides: a signed webhook'), ('coupon', "A Stripe coupon on the inviter's subscription")], default='none', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='referralprogram',
            constraint=models.CheckConstraint(condition=models.Q(('coupon', ''), ('reward', 'coupon'), _negated=True), name='coupon_reward_names_a_coupon', violation_error_message='Enter the coupon that inviters get.'),
        ),
    ]
